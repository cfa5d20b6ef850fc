/* SPDX-License-Identifier: MIT */
/* text_poke() and its relatives: what they write, what they refuse. */
#include "tests/host/host_test.h"

#include "poke/poke.h"
#include "tests/host/fake_machine.h"

static uint8_t source[4 * MACHINE_PAGE];

static int setup(void **state)
{
    struct prng rng = prng_stream(FUZZ_SEED, 1);

    (void)state;
    fake_reset(64);
    for (size_t i = 0; i < sizeof(source); i++)
        source[i] = (uint8_t)prng_next(&rng);
    return 0;
}

/* The text holds `len` bytes of `want` at `offset` and the fill all around. */
static void expect_text(size_t offset, const uint8_t *want, size_t len)
{
    assert_memory_equal(fake_text + offset, want, len);
    for (size_t i = 0; i < FAKE_TEXT_BYTES; i++)
        if ((i < offset || i >= offset + len) && fake_text[i] != FAKE_FILL)
            fail_msg("text byte %zx changed", i);
}

static void poke_writes_and_opens_once(void **state)
{
    static const struct {
        size_t offset, len;
    } ranges[] = { { 0, 1 }, { 100, 5 }, { 4094, 5 }, { 4095, 4096 }, { 8192, 4096 } };

    (void)state;
    for (unsigned i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        fake_reset(64);
        text_mutex_lock();
        assert_int_equal(text_poke(fake_text + ranges[i].offset, source, ranges[i].len), POKE_OK);
        text_mutex_unlock();
        expect_text(ranges[i].offset, source, ranges[i].len);
        assert_int_equal(fake.opens, 1);
        assert_int_equal(fake.syncs, 0);
    }
}

static void poke_refuses(void **state)
{
    (void)state;
    assert_int_equal(text_poke(fake_text, source, 5), POKE_E_LOCK);
    text_mutex_lock();
    assert_int_equal(text_poke(fake_text, source, 0), POKE_E_LENGTH);
    assert_int_equal(text_poke(fake_text, source, 4097), POKE_E_LENGTH);
    assert_int_equal(text_poke(fake_text + FAKE_TEXT_BYTES - 1, source, 2), POKE_E_ADDRESS);
    fake.refused_open = 1;
    assert_int_equal(text_poke(fake_text, source, 5), POKE_E_ADDRESS);
    expect_text(0, NULL, 0);
    fake.lost_store = 1;
    assert_int_equal(text_poke(fake_text, source, 5), POKE_E_READBACK);
    assert_int_equal(text_poke(fake_text, source, 5), POKE_OK); /* no lasting harm */
    text_mutex_unlock();
}

static void copy_and_set_go_in_chunks_of_two_pages(void **state)
{
    uint8_t filled[3 * MACHINE_PAGE];

    (void)state;
    assert_int_equal(text_poke_copy(fake_text + 4000, source, sizeof(source)), POKE_OK);
    expect_text(4000, source, sizeof(source));
    assert_int_equal(fake.opens, 3); /* 96 + 4096, 8192, 4000 */

    fake_reset(64);
    memset(filled, 0xCC, sizeof(filled));
    assert_int_equal(text_poke_set(fake_text + 1, 0xCC, sizeof(filled)), POKE_OK);
    expect_text(1, filled, sizeof(filled));
    assert_int_equal(fake.opens, 2);
}

static void copy_and_set_refuse(void **state)
{
    (void)state;
    assert_int_equal(text_poke_copy(fake_text, source, 0), POKE_E_LENGTH);
    assert_int_equal(text_poke_set(fake_text, 0, 0), POKE_E_LENGTH);
    fake.forbidden = (uintptr_t)fake_text + 9000;
    assert_int_equal(text_poke_copy(fake_text, source, 9001), POKE_E_ADDRESS);
    assert_int_equal(text_poke_set(fake_text, 0, 9001), POKE_E_ADDRESS);
    text_mutex_lock();
    assert_int_equal(text_poke_copy(fake_text, source, 5), POKE_E_LOCK);
    assert_int_equal(text_poke_set(fake_text, 0, 5), POKE_E_LOCK);
    text_mutex_unlock();
    expect_text(0, NULL, 0);

    fake.lost_store = 2; /* the second chunk of three */
    assert_int_equal(text_poke_copy(fake_text + 9001, source, sizeof(source)), POKE_E_READBACK);
    assert_int_equal(fake.opens, 2);
    text_mutex_lock(); /* it was given back */
    text_mutex_unlock();
}

static void every_error_has_a_text(void **state)
{
    (void)state;
    for (unsigned e = 0; e < POKE_ERRORS; e++)
        assert_string_not_equal(poke_error_text(e), "unknown error");
    assert_string_equal(poke_error_text(POKE_ERRORS), "unknown error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(poke_writes_and_opens_once, setup),
        cmocka_unit_test_setup(poke_refuses, setup),
        cmocka_unit_test_setup(copy_and_set_go_in_chunks_of_two_pages, setup),
        cmocka_unit_test_setup(copy_and_set_refuse, setup),
        cmocka_unit_test(every_error_has_a_text),
    };

    return cmocka_run_group_tests_name("poke text", tests, NULL, NULL);
}

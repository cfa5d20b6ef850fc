/* SPDX-License-Identifier: MIT */
/*
 * Batches: the exact order of stores and syncs, the queue's rules, and errors that leave the text
 * untouched.
 */
#include "tests/host/batch_test.h"

static void five_bytes(void **state)
{
    (void)state;
    assert_int_equal(smp_text_poke_single(site(0x100), call_insn, 5, NULL), POKE_OK);
    assert_string_equal(fake.trace, "(cc@100)|(11223304@101)|(e8@100)|");
    assert_int_equal(counted(syncs), 3);
    assert_int_equal(counted(windows), 3);
    assert_int_equal(counted(stores), 3);
    assert_int_equal(counted(batches), 1);
    assert_int_equal(counted(sites), 1);
    assert_int_equal(counted(order_checked), 1);

    const struct poke_timing *t = poke_last_timing();

    assert_int_equal(t->steps, 8);
    assert_int_equal(t->sites, 1);
    for (unsigned i = 0; i < t->steps; i++)
        assert_true(t->end[i] > (i ? t->end[i - 1] : t->begin));
}

static void one_byte_needs_two_syncs(void **state)
{
    (void)state;
    assert_int_equal(smp_text_poke_single(site(0x100), ret_insn, 1, NULL), POKE_OK);
    assert_string_equal(fake.trace, "(cc@100)|(c3@100)|");
    assert_int_equal(counted(syncs), 2);

    const struct poke_timing *t = poke_last_timing();

    assert_int_equal(t->end[3], 0); /* tails and their sync */
    assert_int_equal(t->end[4], 0);
    assert_true(t->end[7] > t->end[5]);
}

static void int3_needs_one_sync(void **state)
{
    (void)state;
    add(0x100, int3_insn, 1, false);
    add(0x101, int3_insn, 1, false);
    finish();
    assert_string_equal(fake.trace, "(cc@100cc@101)|");
    assert_int_equal(counted(syncs), 1);
    assert_int_equal(counted(windows), 1);
}

static void mixed_lengths_one_window_per_step(void **state)
{
    (void)state;
    add(0x0FFE, call_insn, 5, false);
    add(0x1100, int3_insn, 1, false);
    add(0x1101, ret_insn, 1, false);
    add(0x3100, jmp8_insn, 2, false);
    add(0x3102, jcc_insn, 6, false);
    finish();
    assert_string_equal(fake.trace, "(cc@ffecc@1100cc@1101cc@3100cc@3102)|"
                                    "(11223304@fff10@31018411223304@3103)|"
                                    "(e8@ffec3@1101eb@31000f@3102)|");
    assert_int_equal(counted(windows), 3);
    assert_int_equal(counted(sites), 5);
}

static void text_differs_from_emulation(void **state)
{
    static const uint8_t xor_eax[5] = { 0x2E, 0x2E, 0x2E, 0x31, 0xC0 };

    (void)state;
    assert_int_equal(smp_text_poke_single(site(0x10), xor_eax, 5, NULL), POKE_E_OPCODE);
    assert_int_equal(smp_text_poke_single(site(0x10), xor_eax, 5, call_insn), POKE_OK);
    assert_string_equal(fake.trace, "(cc@10)|(2e2e31c0@11)|(2e@10)|");
}

static void page_crossing_at_every_split(void **state)
{
    static const struct {
        const uint8_t *bytes;
        unsigned len;
    } images[] = { { jmp8_insn, 2 }, { call_insn, 5 }, { jcc_insn, 6 } };

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        for (unsigned split = 1; split < images[i].len; split++) {
            uint8_t around[48];
            size_t offset = 5 * MACHINE_PAGE - split;

            fake_reset(2048);
            assert_int_equal(
                smp_text_poke_single(site(offset), images[i].bytes, images[i].len, NULL), POKE_OK);
            memset(around, FAKE_FILL, sizeof(around));
            memcpy(around + 16, images[i].bytes, images[i].len);
            assert_memory_equal(site(offset - 16), around, sizeof(around));
            assert_int_equal(fake.opens, 3);
        }
    }
}

static void full_batch_of_page_crossers(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TEXT_POKE_ARRAY_MAX; i++)
        add((i + 1) * (size_t)MACHINE_PAGE - 2, call_insn, 5, false);
    assert_int_equal(fake.opens, 0);
    add((TEXT_POKE_ARRAY_MAX + 1) * (size_t)MACHINE_PAGE - 2, jmp_insn, 5, true);
    assert_int_equal(counted(windows), 3);
    assert_int_equal(counted(syncs), 2); /* the third is left to the batch that has begun */
    assert_int_equal(counted(sites), TEXT_POKE_ARRAY_MAX);
    assert_int_equal(counted(flushes), 1);
    for (unsigned i = 0; i < TEXT_POKE_ARRAY_MAX; i++)
        assert_memory_equal(site((i + 1) * (size_t)MACHINE_PAGE - 2), call_insn, 5);
    finish();
    assert_memory_equal(site((TEXT_POKE_ARRAY_MAX + 1) * (size_t)MACHINE_PAGE - 2), jmp_insn, 5);
    assert_int_equal(counted(order_checked), 2);
}

static void adjacent_sites_share_a_batch(void **state)
{
    (void)state;
    add(0x20, call_insn, 5, false);
    add(0x25, jmp_insn, 5, false);
    finish();
    assert_int_equal(counted(batches), 1);
}

static void descending_equal_and_overlapping_sites_flush(void **state)
{
    (void)state;
    add(0x20, call_insn, 5, false);
    add(0x10, jmp_insn, 5, true); /* descending */
    assert_memory_equal(site(0x20), call_insn, 5);
    add(0x10, call_insn, 5, true); /* equal: the last writer wins */
    assert_memory_equal(site(0x10), jmp_insn, 5);
    add(0x14, jmp8_insn, 2, true); /* overlapping, ascending */
    assert_memory_equal(site(0x10), call_insn, 5);
    add(0x0F, ret_insn, 1, true);
    finish();
    finish(); /* nothing is pending: no-op */
    assert_int_equal(counted(batches), 5);
    assert_int_equal(counted(flushes), 4);
    assert_memory_equal(site(0x14), jmp8_insn, 2);
    assert_memory_equal(site(0x0F), ret_insn, 1);
}

static void single_with_a_pending_batch(void **state)
{
    (void)state;
    add(0x200, call_insn, 5, false);
    assert_int_equal(smp_text_poke_single(site(0x100), jmp_insn, 5, NULL), POKE_OK);
    assert_string_equal(fake.trace, "(cc@200)|(11223304@201)|(e8@200)"
                                    "(cc@100)|(55667708@101)|(e9@100)|");
    add(0x200, jmp_insn, 5, false);
    assert_int_equal(smp_text_poke_single(site(0x300), jmp_insn, 5, NULL), POKE_OK);
    assert_int_equal(counted(batches), 3); /* the second pair in one */
}

static void expect_refused(size_t offset, const void *bytes, size_t len, const void *emulate,
                           enum poke_error error)
{
    bool flushed = true;

    assert_int_equal(smp_text_poke_batch_add(site(offset), bytes, len, emulate, &flushed), error);
    assert_false(flushed);
    assert_string_equal(fake.trace, "");
    for (size_t i = 0; i < FAKE_TEXT_BYTES; i++)
        if (fake_text[i] != FAKE_FILL)
            fail_msg("text byte %zx changed", i);
}

static void refused_sites_change_nothing(void **state)
{
    static const uint8_t bad_pad[5] = { 0xC3, 0xCC, 0xCC, 0x90, 0xCC };
    static const uint8_t two_nops[2] = { 0x90, 0x90 };
    static const uint8_t padded_call[6] = { 0xE8, 0x11, 0x22, 0x33, 0x04, 0xCC };

    (void)state;
    add(0x400, call_insn, 5, false); /* stays pending through all that follows */
    expect_refused(0x10, call_insn, 0, NULL, POKE_E_LENGTH);
    expect_refused(0x10, call_insn, 3, NULL, POKE_E_LENGTH);
    expect_refused(0x10, call_insn, 7, NULL, POKE_E_LENGTH);
    expect_refused(0x10, call_insn, 261, NULL, POKE_E_LENGTH); /* 5 modulo 256 */
    expect_refused(0x10, padded_call, 6, NULL, POKE_E_LENGTH);
    expect_refused(0x10, jcc_insn, 5, NULL, POKE_E_LENGTH);
    expect_refused(0x10, bad_pad, 5, NULL, POKE_E_PADDING);
    expect_refused(0x10, two_nops, 2, NULL, POKE_E_OPCODE);
    expect_refused(0x10, call_insn, 5, bad_pad, POKE_E_PADDING);
    expect_refused(FAKE_TEXT_BYTES - 4, call_insn, 5, NULL, POKE_E_ADDRESS);
    expect_refused((size_t)0 - 1, call_insn, 5, NULL, POKE_E_ADDRESS);
    fake.forbidden = (uintptr_t)site(0x14);
    expect_refused(0x10, call_insn, 5, NULL, POKE_E_ADDRESS);

    assert_int_equal(poke_select_protocol(NULL), POKE_E_PENDING);
    text_mutex_unlock();
    expect_refused(0x500, call_insn, 5, NULL, POKE_E_LOCK);
    assert_int_equal(smp_text_poke_batch_finish(), POKE_E_LOCK);
    assert_int_equal(smp_text_poke_single(site(0x500), call_insn, 5, NULL), POKE_E_LOCK);
    assert_int_equal(poke_select_protocol(NULL), POKE_E_LOCK);
    text_mutex_lock();
    finish();
    assert_string_equal(fake.trace, "(cc@400)|(11223304@401)|(e8@400)|");
}

static void lock_belongs_to_a_core(void **state)
{
    (void)state;
    fake_core = 1;
    assert_int_equal(smp_text_poke_single(site(0x10), call_insn, 5, NULL), POKE_E_LOCK);
    text_mutex_unlock(); /* not the holder: no effect */
    fake_core = 0;
    assert_int_equal(smp_text_poke_single(site(0x10), call_insn, 5, NULL), POKE_OK);
}

static void unlock_core_0(void)
{
    assert_string_equal(fake.phase, "text_poke: waiting for text_mutex");
    if (fake.relaxes < 5)
        return;
    fake_core = 0;
    text_mutex_unlock();
    fake_core = 1;
}

static void lock_waits(void **state)
{
    (void)state;
    fake_core = 1;
    fake.hook = unlock_core_0;
    text_mutex_lock();
    assert_int_equal(fake.relaxes, 5);
    fake.hook = NULL;
    text_mutex_unlock();
    fake_core = 0;
    text_mutex_lock();
}

static void sync_with_and_without_the_lock(void **state)
{
    (void)state;
    smp_text_poke_sync_each_cpu();
    assert_int_equal(smp_text_poke_single(site(0x10), ret_insn, 1, NULL), POKE_OK); /* still held */
    text_mutex_unlock();
    smp_text_poke_sync_each_cpu();
    assert_int_equal(smp_text_poke_single(site(0x10), ret_insn, 1, NULL), POKE_E_LOCK);
    text_mutex_lock();
    assert_string_equal(fake.trace, "|(cc@10)|(c3@10)||");
}

static void unmapped_page_before_the_first_store(void **state)
{
    (void)state;
    fake.refused_open = 1;
    assert_int_equal(smp_text_poke_single(site(0x10), call_insn, 5, NULL), POKE_E_ADDRESS);
    assert_string_equal(fake.trace, "");
    for (unsigned i = 0; i < FAKE_CORES; i++)
        assert_int_equal(machine_poke_core(i)->refs[0] + machine_poke_core(i)->refs[1], 0);
    assert_int_equal(smp_text_poke_single(site(0x10), call_insn, 5, NULL), POKE_OK);
}

/* The last test: the engine does not patch again after it. */
static void lost_store_ends_patching(void **state)
{
    (void)state;
    fake.lost_store = 2;
    assert_int_equal(smp_text_poke_single(site(0x10), call_insn, 5, NULL), POKE_E_READBACK);
    assert_string_equal(fake.trace, "(cc@10)|(11223304@11)");

    struct poke_regs regs = { .ip = (uintptr_t)site(0x11), .sp = (uintptr_t)&before + 8 };

    assert_true(smp_text_poke_int3_handler(&regs)); /* the INT3 that stands is still served */
    assert_int_equal(smp_text_poke_single(site(0x90), call_insn, 5, NULL), POKE_E_READBACK);
    assert_int_equal(smp_text_poke_batch_finish(), POKE_E_READBACK);
    assert_string_equal(fake.trace, "(cc@10)|(11223304@11)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        poke_test(five_bytes),
        poke_test(one_byte_needs_two_syncs),
        poke_test(int3_needs_one_sync),
        poke_test(mixed_lengths_one_window_per_step),
        poke_test(text_differs_from_emulation),
        poke_test(page_crossing_at_every_split),
        poke_test(full_batch_of_page_crossers),
        poke_test(adjacent_sites_share_a_batch),
        poke_test(descending_equal_and_overlapping_sites_flush),
        poke_test(single_with_a_pending_batch),
        poke_test(refused_sites_change_nothing),
        poke_test(lock_belongs_to_a_core),
        poke_test(lock_waits),
        poke_test(sync_with_and_without_the_lock),
        poke_test(unmapped_page_before_the_first_store),
        poke_test(lost_store_ends_patching),
    };

    return cmocka_run_group_tests_name("poke batch", tests, NULL, NULL);
}

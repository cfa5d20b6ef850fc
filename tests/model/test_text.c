// SPDX-License-Identifier: MIT
/* What a core may fetch under each view, against results worked out by hand; how text is packed. */
#include "tests/host/host_test.h"

#include "tests/model/text.h"

#define SITE ((uintptr_t)model_text + 64)

static const uint8_t nop5[] = { 0x0f, 0x1f, 0x44, 0x00, 0x00 };
static const uint8_t call[] = { 0xe8, 0x11, 0x22, 0x33, 0x44 };
static const uint8_t call_b[] = { 0xe8, 0xc5, 0xb6, 0xa7, 0x18 };
static const uint8_t int3 = 0xcc;

static bool can_fetch(enum view view, uintptr_t addr, unsigned since, const uint8_t *bytes,
                      unsigned len)
{
    static struct fetched fetches[FETCHES_MAX];
    unsigned n = text_fetch(view, addr, since, fetches);

    for (unsigned i = 0; i < n; i++)
        if (fetches[i].len == len && !memcmp(fetches[i].bytes, bytes, len))
            return true;
    return false;
}

static unsigned ways(enum view view, uintptr_t addr, unsigned since)
{
    static struct fetched fetches[FETCHES_MAX];

    return text_fetch(view, addr, since, fetches);
}

static void one_store(void **state)
{
    (void)state;
    text_reset();
    text_init(SITE, nop5, 5);
    assert_int_equal(ways(VIEW_ANY, SITE, 0), 1);
    text_store(SITE, &int3, 1);
    for (enum view view = 0; view < VIEWS; view++) {
        assert_int_equal(ways(view, SITE, 0), 2);
        assert_true(can_fetch(view, SITE, 0, nop5, 5));
        assert_true(can_fetch(view, SITE, 0, &int3, 1));
        assert_int_equal(ways(view, SITE, 1), 1); /* the core has serialised: INT3 only */
        assert_false(can_fetch(view, SITE, 1, nop5, 5));
    }
}

/* One store to one quadword is torn under view any only. */
static void wide_store(void **state)
{
    static const uint8_t torn[] = { 0xe8, 0x11, 0x22, 0xa7, 0x18 };

    (void)state;
    text_reset();
    text_init(SITE, call, 5);
    text_store(SITE, call_b, 5);
    assert_int_equal(ways(VIEW_ANY, SITE, 0), 16);
    assert_true(can_fetch(VIEW_ANY, SITE, 0, torn, 5));
    assert_int_equal(ways(VIEW_VENDOR, SITE, 0), 2);
    assert_false(can_fetch(VIEW_VENDOR, SITE, 0, torn, 5));
}

/* Two stores: later bytes may be newer under view vendor, earlier ones may not. */
static void program_order(void **state)
{
    static const uint8_t old_then_new[] = { 0xe8, 0x11, 0x22, 0xa7, 0x18 };
    static const uint8_t new_then_old[] = { 0xe8, 0xc5, 0xb6, 0x33, 0x44 };

    (void)state;
    text_reset();
    text_init(SITE - 3, call, 5);
    text_store(SITE - 3, call_b, 3);
    text_store(SITE, call_b + 3, 2);
    assert_int_equal(ways(VIEW_VENDOR, SITE - 3, 0), 4);
    assert_true(can_fetch(VIEW_VENDOR, SITE - 3, 0, old_then_new, 5));
    assert_true(can_fetch(VIEW_VENDOR, SITE - 3, 0, new_then_old, 5)); /* between the stores */

    text_reset(); /* the other way round: the first half is new only when the second half is */
    text_init(SITE - 3, call, 5);
    text_store(SITE, call_b + 3, 2);
    text_store(SITE - 3, call_b, 3);
    assert_int_equal(ways(VIEW_VENDOR, SITE - 3, 0), 3);
    assert_true(can_fetch(VIEW_VENDOR, SITE - 3, 0, old_then_new, 5));
    assert_false(can_fetch(VIEW_VENDOR, SITE - 3, 0, new_then_old, 5));
    assert_true(can_fetch(VIEW_ANY, SITE - 3, 0, new_then_old, 5));
}

static void unknown_bytes(void **state)
{
    static const uint8_t torn[] = { 0x0f, 0x11 };

    (void)state;
    text_reset();
    text_init(SITE, nop5, 5);
    text_store(SITE + 1, call + 1, 4);
    assert_true(can_fetch(VIEW_ANY, SITE, 0, torn, 2)); /* the fetch ends where it makes no sense */
}

static void rewind_time(void **state)
{
    (void)state;
    text_reset();
    text_init(SITE, nop5, 5);
    text_store(SITE, &int3, 1);

    uint64_t one = text_hash_since(0, 0);

    text_store(SITE + 1, call + 1, 4);
    assert_int_not_equal(text_hash_since(0, 0), one);
    text_rewind(1);
    assert_int_equal(text_now(), 1);
    assert_int_equal(text_hash_since(0, 0), one);
    assert_int_equal(model_text[64], 0xcc);
    text_rewind(0);
    assert_memory_equal((void *)SITE, nop5, 5);
}

static void packed_text(void **state)
{
    uint8_t buffer[1024];
    struct packing p = { buffer, buffer + sizeof(buffer) };

    (void)state;
    text_reset();
    text_init(SITE, nop5, 5);
    text_store(SITE, &int3, 1);
    text_pack(&p);
    text_rewind(0);
    text_store(SITE + 1, call + 1, 4);
    text_store(SITE, call, 1);
    p.at = buffer;
    text_unpack(&p);
    assert_int_equal(text_now(), 1);
    assert_int_equal(model_text[64], 0xcc);
    assert_memory_equal((void *)(SITE + 1), nop5 + 1, 4);
    assert_int_equal(ways(VIEW_ANY, SITE, 0), 2); /* the past came back with it */
    text_rewind(0);
    assert_memory_equal((void *)SITE, nop5, 5);
}

/* Blocks that are zero take no room, whether the last one is whole or not. */
static void sparse_memory(void **state)
{
    static const size_t sizes[] = { 1, 31, 32, 33, 64, 1000, 1024 };
    uint8_t memory[1024], back[1024], buffer[2048];

    (void)state;
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (size_t at = 0; at < sizes[i]; at++) {
            struct packing p = { buffer, buffer + sizeof(buffer) };

            memset(memory, 0, sizeof(memory));
            memory[at] = 0xa5;
            memset(back, 0x5a, sizeof(back));
            pack_sparse(&p, memory, sizes[i]);
            assert_true(p.at - buffer <= 70);
            p = (struct packing){ buffer, p.at };
            unpack_sparse(&p, back, sizes[i]);
            assert_ptr_equal(p.at, p.end);
            assert_memory_equal(back, memory, sizes[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_store),     cmocka_unit_test(wide_store),
        cmocka_unit_test(program_order), cmocka_unit_test(unknown_bytes),
        cmocka_unit_test(rewind_time),   cmocka_unit_test(packed_text),
        cmocka_unit_test(sparse_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "tests/host/host_test.h"

/*
 * The functions under test get other names, so that the C library's stay what they are compared
 * with.
 */
#define memcpy  tested_memcpy
#define memmove tested_memmove
#define memset  tested_memset
#define memcmp  tested_memcmp
#define strlen  tested_strlen
#define strcmp  tested_strcmp
#define strncmp tested_strncmp
#include "kernel/lib/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen
#undef strcmp
#undef strncmp

#define N 64

static void fill(unsigned char *bytes)
{
    for (unsigned i = 0; i < N; i++)
        bytes[i] = (unsigned char)(i * 7 + 1);
}

static void copies_and_only_that(void **state)
{
    unsigned char from[N], got[N], want[N];

    (void)state;
    fill(from);
    for (unsigned n = 0; n <= N / 2; n++) {
        memset(got, 0xee, N);
        memset(want, 0xee, N);
        memcpy(want + 3, from + 5, n);
        assert_ptr_equal(tested_memcpy(got + 3, from + 5, n), got + 3);
        assert_memory_equal(got, want, N);
    }
}

static void moves_over_itself_both_ways(void **state)
{
    unsigned char got[N], want[N];

    (void)state;
    for (unsigned to = 0; to < N / 2; to++) {
        for (unsigned from = 0; from < N / 2; from++) {
            for (unsigned n = 0; n <= N / 2; n++) {
                fill(got);
                fill(want);
                memmove(want + to, want + from, n);
                assert_ptr_equal(tested_memmove(got + to, got + from, n), got + to);
                assert_memory_equal(got, want, N);
            }
        }
    }
}

static void sets_the_low_byte(void **state)
{
    unsigned char got[N], want[N];

    (void)state;
    for (unsigned n = 0; n <= N / 2; n++) {
        fill(got);
        fill(want);
        memset(want + 1, 0xa5, n);
        assert_ptr_equal(tested_memset(got + 1, 0x12a5, n), got + 1);
        assert_memory_equal(got, want, N);
    }
}

static int sign(int x)
{
    return (x > 0) - (x < 0);
}

static void compares_as_unsigned_bytes(void **state)
{
    static const char *const texts[] = {
        "", "a", "ab", "abc", "abd", "b", "\x80", "a\xff", "\x7f"
    };
    const unsigned count = sizeof(texts) / sizeof(texts[0]);

    (void)state;
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(tested_strlen(texts[i]), strlen(texts[i]));
        for (unsigned k = 0; k < count; k++) {
            const char *a = texts[i], *b = texts[k];
            size_t both = strlen(a) < strlen(b) ? strlen(a) : strlen(b);

            assert_int_equal(sign(tested_strcmp(a, b)), sign(strcmp(a, b)));
            assert_int_equal(sign(tested_memcmp(a, b, both)), sign(memcmp(a, b, both)));
            for (size_t n = 0; n < 5; n++)
                assert_int_equal(sign(tested_strncmp(a, b, n)), sign(strncmp(a, b, n)));
        }
    }
    /* A zero byte ends texts, but not memory. */
    assert_int_equal(tested_strncmp("a\0b", "a\0c", 3), 0);
    assert_true(tested_memcmp("a\0b", "a\0c", 3) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_and_only_that),
        cmocka_unit_test(moves_over_itself_both_ways),
        cmocka_unit_test(sets_the_low_byte),
        cmocka_unit_test(compares_as_unsigned_bytes),
    };

    return cmocka_run_group_tests_name("string", tests, NULL, NULL);
}

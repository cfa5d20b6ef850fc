/* SPDX-License-Identifier: MIT */
#include "tests/host/host_test.h"

#include "kernel/lib/fmt.h"

#define CHECK(want, ...)                                                                           \
    do {                                                                                           \
        char got_[128];                                                                            \
        assert_int_equal(fmt_print(got_, sizeof(got_), __VA_ARGS__), strlen(want));                \
        assert_string_equal(got_, want);                                                           \
    } while (0)

static void conversions(void **state)
{
    (void)state;
    CHECK("-5 7 0x00ff", "%d %u 0x%04x", -5, 7u, 0xffu);
    CHECK("18446744073709551615", "%llu", (unsigned long long)UINT64_MAX);
    CHECK("-9223372036854775808", "%lld", (long long)INT64_MIN);
    CHECK("ffffffff80000000 12 13", "%lx %zu %lu", 0xffffffff80000000ul, (size_t)12, 13ul);
    CHECK("ab  |  ab|c|%", "%-4s|%4s|%c|%%", "ab", "ab", 'c');
    CHECK("abc", "%.*s", 3, "abcdef");
    CHECK("", "%.*s", 0, "abcdef");
}

/* The text is cut, the length is not, and no byte behind the size is touched. */
static void cuts(void **state)
{
    struct guarded g;

    (void)state;
    for (size_t size = 0; size < 12; size++) {
        char want[12];

        assert_int_equal(fmt_print(guard(&g, size), size, "%s-%d", "abcdef", 123), 10);
        assert_guard_whole(&g);
        if (size) {
            snprintf(want, size, "abcdef-123");
            assert_string_equal(g.text, want);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conversions),
        cmocka_unit_test(cuts),
    };

    return cmocka_run_group_tests_name("fmt", tests, NULL, NULL);
}

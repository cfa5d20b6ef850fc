/* SPDX-License-Identifier: MIT */
/* The lookup, on a table that tools/symbols.py made from sample_symbols.nm. */
#include "tests/host/host_test.h"

#include "kernel/lib/symbols.h"

#define BASE 0xffffffff80000000ull

static void check(uint64_t address, const char *name, uint64_t offset)
{
    uint64_t got = ~0ull;

    assert_string_equal(symbol_lookup(&kernel_symbols, address, &got), name);
    assert_int_equal(got, offset);
}

static void function_at_or_before(void **state)
{
    (void)state;
    check(BASE, "kernel_entry", 0);
    check(BASE + 0xf, "kernel_entry", 0xf);
    check(BASE + 0x10, "isr_common", 0);
    check(BASE + 0x19, "isr_common", 9);
    check(BASE + 0x2f, "helper.part.0", 0xf);
    check(BASE + 0x30, "real_name", 0);
    check(BASE + 0x1234, "patch.constprop.0.cold", 0x1234 - 0x40);
    check(UINT64_MAX, "patch.constprop.0.cold", 0x7fffffff - 0x40);
}

static void only_functions_are_in_the_table(void **state)
{
    (void)state;
    assert_int_equal(kernel_symbols.count, 5);
    assert_int_equal(kernel_symbols.base, BASE);
}

static void below_the_first_and_empty(void **state)
{
    static const uint32_t offsets[] = { 0x10 }, names[] = { 0 };
    const struct symbol_table empty = { .base = BASE };
    const struct symbol_table one = {
        .count = 1, .base = BASE, .offsets = offsets, .names = names, .text = "f"
    };
    uint64_t offset;

    (void)state;
    assert_null(symbol_lookup(&kernel_symbols, BASE - 1, &offset));
    assert_null(symbol_lookup(&kernel_symbols, 0, &offset));
    assert_null(symbol_lookup(&empty, BASE, &offset));
    assert_null(symbol_lookup(&one, BASE + 0xf, &offset));
    assert_string_equal(symbol_lookup(&one, BASE + 0x10, &offset), "f");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(function_at_or_before),
        cmocka_unit_test(only_functions_are_in_the_table),
        cmocka_unit_test(below_the_first_and_empty),
    };

    return cmocka_run_group_tests_name("symbols", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* The firmware's memory map: large, unsorted, overlapping, wrong; against a model of the pages. */
#include "tests/host/host_test.h"

#include "kernel/mm/ranges.h"

#define PAGE  4096ull
#define LIMIT (1ull << 46)
#define MANY  10000

static struct boot_range range(uint64_t base, uint64_t pages, enum boot_mem_kind kind)
{
    return (struct boot_range){ .base = base, .pages = pages, .kind = kind };
}

static void assert_pages(struct boot_range r, uint64_t from, uint64_t to)
{
    uint64_t got_from, got_to;

    assert_true(range_pages(&r, LIMIT, &got_from, &got_to));
    assert_int_equal(got_from, from);
    assert_int_equal(got_to, to);
}

static void assert_no_pages(struct boot_range r)
{
    uint64_t from, to;

    assert_false(range_pages(&r, LIMIT, &from, &to));
}

static void single_ranges(void **state)
{
    (void)state;
    assert_pages(range(0, 1, BOOT_MEM_LOADER), 0, PAGE);
    assert_pages(range(0x100000, 0x100, BOOT_MEM_LOADER), 0x100000, 0x200000);
    assert_no_pages(range(0x100000, 0, BOOT_MEM_LOADER));
    /* At, over and beyond the limit. */
    assert_pages(range(LIMIT - PAGE, 1, BOOT_MEM_LOADER), LIMIT - PAGE, LIMIT);
    assert_pages(range(LIMIT - PAGE, 2, BOOT_MEM_LOADER), LIMIT - PAGE, LIMIT);
    assert_no_pages(range(LIMIT, 1, BOOT_MEM_LOADER));
    assert_no_pages(range(~0ull << 12, 1, BOOT_MEM_LOADER));
    /* Around the end of the address space: 2^52 pages are 2^64 bytes. */
    assert_pages(range(PAGE, 1ull << 52, BOOT_MEM_LOADER), PAGE, LIMIT);
    assert_pages(range(PAGE, ~0ull, BOOT_MEM_LOADER), PAGE, LIMIT);
    assert_no_pages(range(~0ull << 12, ~0ull, BOOT_MEM_LOADER));
    /* Not aligned, which the specification forbids: only what is wholly inside. */
    assert_pages(range(0x1800, 2, BOOT_MEM_LOADER), 0x2000, 0x3000);
    assert_no_pages(range(0x1800, 1, BOOT_MEM_LOADER));
    assert_no_pages(range(LIMIT - 1, 1, BOOT_MEM_LOADER));
}

static void devices_win(void **state)
{
    struct boot_range map[] = {
        range(0x1000, 4, BOOT_MEM_FREE),     range(0x2000, 1, BOOT_MEM_MMIO),
        range(0x3000, 1, BOOT_MEM_ACPI),     range(0x4800, 1, BOOT_MEM_MMIO),
        range(0x9000, 1, BOOT_MEM_RESERVED),
    };
    static const bool readable[] = { false, true, false, true, false, false };

    (void)state;
    for (uint64_t i = 0; i < sizeof readable / sizeof readable[0]; i++)
        assert_int_equal(ranges_allow_reading(map, 5, i * PAGE), readable[i]);
    assert_true(ranges_allow_reading(map, 5, 0x9000));
    assert_false(ranges_allow_reading(map, 5, 0xa000));
    assert_false(ranges_allow_reading(map, 0, 0x1000));
    /* A device that claims everything, by wrapping around. */
    map[4] = range(PAGE, ~0ull, BOOT_MEM_MMIO);
    assert_false(ranges_allow_reading(map, 5, 0x3000));
    map[4] = range(~0ull << 12, ~0ull, BOOT_MEM_MMIO); /* what wraps to 0 is not believed */
    assert_true(ranges_allow_reading(map, 5, 0x3000));
}

/* ---- 10 000 entries ---- */

#define MODEL_PAGES 4096u /* the model's memory; entries lie in and around it */

static struct boot_range map[MANY];
static uint8_t is_memory[MODEL_PAGES], is_device[MODEL_PAGES], is_ours[MODEL_PAGES];

/* All kinds, from nothing to huge, any order, any overlap; few devices, or all would be one. */
static struct boot_range random_range(struct prng *random)
{
    enum boot_mem_kind kind = prng_below(random, 100) == 0
                                  ? BOOT_MEM_MMIO
                                  : (enum boot_mem_kind)(BOOT_MEM_FREE + prng_below(random, 5));
    uint64_t base = prng_below(random, MODEL_PAGES) * PAGE;

    switch (prng_below(random, 8)) {
    case 0:
        return range(base, 0, kind);
    case 1: /* far away */
        return range(base | 1ull << (40 + prng_below(random, 24)), prng_next(random) >> 12, kind);
    case 2:
        return range(base + (kind == BOOT_MEM_MMIO ? prng_below(random, PAGE) : 0), 1, kind);
    default:
        return range(base, prng_below(random, 6), kind);
    }
}

static void add_to_model(const struct boot_range *r)
{
    for (uint64_t page = 0; page < MODEL_PAGES; page++) {
        uint64_t at = page * PAGE;
        bool begins = r->base <= at && at - r->base < PAGE * (r->pages < 64 ? r->pages : 64);
        bool within = r->base >= at && r->base - at < PAGE && r->pages > 0;

        if (!begins && !within)
            continue;
        if (r->kind == BOOT_MEM_MMIO)
            is_device[page] = 1;
        else
            is_memory[page] = 1;
        if (r->kind == BOOT_MEM_LOADER)
            is_ours[page] = 1;
    }
}

static void ten_thousand_entries(void **state)
{
    struct prng random = { FUZZ_SEED };
    uint8_t ours[MODEL_PAGES] = { 0 };
    unsigned readable = 0;

    (void)state;
    for (unsigned i = 0; i < MANY; i++) {
        uint64_t from, to;

        map[i] = random_range(&random);
        add_to_model(&map[i]);
        if (map[i].kind != BOOT_MEM_LOADER || !range_pages(&map[i], LIMIT, &from, &to))
            continue;
        for (uint64_t at = from; at < to && at < MODEL_PAGES * PAGE; at += PAGE)
            ours[at / PAGE] = 1;
    }
    assert_memory_equal(ours, is_ours, sizeof ours);
    for (uint64_t page = 0; page < MODEL_PAGES; page++) {
        bool allowed = ranges_allow_reading(map, MANY, page * PAGE);

        assert_int_equal(allowed, is_memory[page] && !is_device[page]);
        readable += allowed;
    }
    assert_in_range(readable, MODEL_PAGES / 10, MODEL_PAGES - MODEL_PAGES / 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_ranges),
        cmocka_unit_test(devices_win),
        cmocka_unit_test(ten_thousand_entries),
    };

    return cmocka_run_group_tests_name("mm/ranges", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "tests/host/host_test.h"

#include "boot/boot_info.h"
#include "boot/bootstrap_tables.h"

#define PAGE    0x1000ull
#define ADDRESS 0x000ffffffffff000ull
#define PRESENT 0x1ull
#define WRITE   0x2ull
#define LARGE   0x80ull
#define NX      (1ull << 63)
#define KERNEL  0x12345000ull

static const struct elf_image sample = {
    .bytes = ELF_IMAGE_MAX, /* the largest: the pool must suffice */
    .count = 3,
    .segments = {
        { .offset = 0, .bytes = 0x1fff, .flags = ELF_R | ELF_X },
        { .offset = 0x2000, .bytes = 0x1000, .flags = ELF_R },
        { .offset = 0x3000, .bytes = ELF_IMAGE_MAX - 0x3000, .flags = ELF_R | ELF_W },
    },
};

/* The tables' pool with a page behind it that nobody may use. */
struct pool {
    uint8_t pages[BOOTSTRAP_TABLE_PAGES][PAGE];
    uint8_t fence[PAGE];
};

/* The paging mode that tables are built for and walked in. */
static bool five_levels;

/*
 * What the processor finds at `virt`: the leaf with the address of its 4 KiB page, 0 if not mapped.
 */
static uint64_t walk(uint64_t root, uint64_t virt)
{
    uint64_t entry = root;

    for (int shift = five_levels ? 48 : 39; shift >= 12; shift -= 9) {
        entry = ((const uint64_t *)(entry & ADDRESS))[virt >> shift & 511];
        if (!(entry & PRESENT))
            return 0;
        if (shift == 21 && (entry & LARGE))
            return (entry & ~LARGE) + (virt & 0x1ff000);
        if (shift > 12)
            assert_int_equal(entry & (LARGE | NX | WRITE), WRITE); /* a table forbids nothing */
    }
    return entry;
}

static uint64_t build(struct pool **pool, uint64_t stub)
{
    static const uint8_t zeros[PAGE];

    *pool = aligned_alloc(PAGE, sizeof(**pool));
    memset(*pool, 0, sizeof(**pool));
    uint64_t root = bootstrap_tables_build((uint64_t)*pool, &sample, KERNEL, stub, five_levels);
    assert_memory_equal((*pool)->fence, zeros, PAGE);
    return root;
}

static void kernel_is_mapped_by_its_flags(void **state)
{
    struct pool *pool;
    uint64_t root = build(&pool, 0x7000000);

    (void)state;
    assert_int_equal(walk(root, BOOT_KERNEL_BASE - PAGE), 0);
    assert_int_equal(walk(root, BOOT_KERNEL_BASE), KERNEL | PRESENT);
    assert_int_equal(walk(root, BOOT_KERNEL_BASE + 0x1000), (KERNEL + 0x1000) | PRESENT);
    assert_int_equal(walk(root, BOOT_KERNEL_BASE + 0x2000), (KERNEL + 0x2000) | PRESENT | NX);
    for (uint64_t at = 0x3000; at < ELF_IMAGE_MAX; at += PAGE)
        assert_int_equal(walk(root, BOOT_KERNEL_BASE + at), (KERNEL + at) | PRESENT | WRITE | NX);
    assert_int_equal(walk(root, BOOT_KERNEL_BASE + ELF_IMAGE_MAX), 0);
    /* Only five levels can tell these from it. */
    if (five_levels) {
        assert_int_equal(walk(root, BOOT_KERNEL_BASE & ~(1ull << 48)), 0);
        assert_int_equal(walk(root, BOOT_KERNEL_BASE & ~(1ull << 55)), 0);
    }
    free(pool);
}

/* Everything below 4 GiB is data, but for the stub, and nothing else is mapped below the kernel. */
static void check_identity(uint64_t stub)
{
    struct pool *pool;
    uint64_t root = build(&pool, stub);

    assert_int_equal(walk(root, stub), stub | PRESENT);
    for (uint64_t at = 0; at < 1ull << 32; at += PAGE) {
        if (at != stub)
            assert_int_equal(walk(root, at), at | PRESENT | WRITE | NX);
    }
    assert_int_equal(walk(root, stub + PAGE) & ~ADDRESS, stub >> 32 ? 0 : PRESENT | WRITE | NX);
    assert_int_equal(walk(root, 1ull << 47), 0);
    free(pool);
}

static void only_the_stub_is_code_below(void **state)
{
    (void)state;
    check_identity(0x1df74000);
    check_identity(0x1fe00000);     /* first page of a 2 MiB page */
    check_identity(0x200000000);    /* above 4 GiB */
    check_identity(0x123456789000); /* with upper tables of its own */
}

static int use_five_levels(void **state)
{
    (void)state;
    five_levels = true;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernel_is_mapped_by_its_flags),
        cmocka_unit_test(only_the_stub_is_code_below),
        cmocka_unit_test_setup(kernel_is_mapped_by_its_flags, use_five_levels),
        cmocka_unit_test_setup(only_the_stub_is_code_below, use_five_levels),
    };
    return cmocka_run_group_tests_name("boot/bootstrap_tables", tests, NULL, NULL);
}

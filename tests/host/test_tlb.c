/* SPDX-License-Identifier: MIT */
/*
 * The adversary of tests/host/test_window.c, rule by rule: what the simulated TLB must forget, and
 * that it forgets nothing else (SDM vol 3A, 4.10.2 to 4.10.4).
 */
#include "tests/host/host_test.h"

#include "tests/host/mmu.h"

#define VIRT   0x300000000000ull /* a linear address that the tests map */
#define MAPPED 3ull              /* present and writable */
#define G      (1ull << 8)

static uint64_t root, other_root, *leaf, *other_leaf;

/* A root that maps the page at VIRT by the entry that is returned. */
static uint64_t *map_one(uint64_t *made)
{
    uint64_t table = *made = mmu_frame();

    for (unsigned level = 3; level; level--) {
        uint64_t below = mmu_frame();

        ((uint64_t *)table)[VIRT >> (12 + 9 * level) & 511] = below | MAPPED;
        table = below;
    }
    return &((uint64_t *)table)[VIRT >> 12 & 511];
}

static int setup(void **state)
{
    (void)state;
    mmu_reset();
    leaf = map_one(&root);
    other_leaf = map_one(&other_root);
    mmu_write_cr3(root);
    return 0;
}

static void write_one(void *byte)
{
    *(volatile uint8_t *)VIRT = *(uint8_t *)byte;
}

/* A store at VIRT lands in `frame`; 0: it faults. */
static void expect_store_in(uint64_t frame)
{
    static uint8_t byte;

    byte++;
    assert_int_equal(mmu_try(write_one, &byte), frame != 0);
    if (frame)
        assert_int_equal(*(uint8_t *)frame, byte);
}

static bool cached(unsigned core, uint16_t pcid)
{
    return tlb_next(&mmu_cores[core].tlb, VIRT / MMU_PAGE, pcid, NULL);
}

static void begin(void)
{
    assert_true(mmu_watch(VIRT, MMU_PAGE));
}

static void an_entry_that_changes_is_used_as_it_was(void **state)
{
    uint64_t a = mmu_frame(), b = mmu_frame();

    (void)state;
    begin();
    expect_store_in(0);
    *leaf = a | MAPPED;
    expect_store_in(a);
    *leaf = b | MAPPED;
    expect_store_in(a);
    mmu_invlpg(VIRT);
    expect_store_in(b);
    *leaf = 0;
    expect_store_in(b);
    mmu_invlpg(VIRT);
    expect_store_in(0);
}

/* Never accessed, and cached all the same; a change that nothing observed leaves no trace. */
static void any_step_may_walk(void **state)
{
    uint64_t a = mmu_frame(), b = mmu_frame();

    (void)state;
    begin();
    *leaf = a | MAPPED;
    mmu_read_dr7();
    *leaf = 0;
    expect_store_in(a);
    mmu_invlpg(VIRT);
    *leaf = a | MAPPED;
    *leaf = b | MAPPED;
    expect_store_in(b);
}

static void rights_are_cached(void **state)
{
    uint64_t a = mmu_frame();

    (void)state;
    begin();
    *leaf = a | (MAPPED & ~2ull);
    expect_store_in(0);
    *leaf = a | MAPPED;
    expect_store_in(0);
    mmu_invlpg(VIRT);
    expect_store_in(a);
}

static void a_load_of_cr3_drops_all_but_global(void **state)
{
    uint64_t a = mmu_frame();

    (void)state;
    begin();
    *leaf = a | MAPPED;
    expect_store_in(a);
    *leaf = 0;
    mmu_write_cr3(root);
    expect_store_in(0);

    *leaf = a | MAPPED | G;
    expect_store_in(a);
    *leaf = 0;
    mmu_write_cr3(other_root);
    expect_store_in(a); /* under another root too */
    mmu_invlpg(VIRT);
    expect_store_in(0);
}

static void global_needs_pge(void **state)
{
    uint64_t a = mmu_frame();

    (void)state;
    begin();
    mmu_write_cr4(0);
    *leaf = a | MAPPED | G;
    expect_store_in(a);
    *leaf = 0;
    mmu_write_cr3(root);
    expect_store_in(0);
}

static void pcids_keep_each_others_translations(void **state)
{
    uint64_t a = mmu_frame(), b = mmu_frame();

    (void)state;
    begin();
    mmu_write_cr4(MMU_CR4_PGE | MMU_CR4_PCIDE);
    *leaf = a | MAPPED;
    mmu_write_cr3(root | 1);
    expect_store_in(a);
    *leaf = 0;
    mmu_write_cr3(other_root | 2);
    expect_store_in(0); /* the other root has nothing there */
    *other_leaf = b | MAPPED;
    expect_store_in(b);
    mmu_write_cr3(root | 1 | MMU_CR3_KEEP);
    assert_int_equal(mmu_read_cr3(), root | 1); /* the bit reads as 0 */
    expect_store_in(a);
    mmu_write_cr3(other_root | 1 | MMU_CR3_KEEP);
    expect_store_in(a); /* one PCID for two roots: the stale one is as good */
    mmu_write_cr3(root | 1);
    expect_store_in(0);
    assert_true(cached(0, 2));
}

static void invlpg_leaves_other_pcids_alone(void **state)
{
    (void)state;
    begin();
    mmu_write_cr4(MMU_CR4_PGE | MMU_CR4_PCIDE);
    *leaf = mmu_frame() | MAPPED;
    mmu_write_cr3(root | 1);
    mmu_write_cr3(root | 2);
    *leaf = 0;
    mmu_invlpg(VIRT);
    assert_false(cached(0, 2));
    assert_true(cached(0, 1));
}

static void cr4_drops_all(void **state)
{
    uint64_t both = MMU_CR4_PGE | MMU_CR4_PCIDE;

    (void)state;
    begin();
    *leaf = mmu_frame() | MAPPED | G;
    mmu_read_cr3();
    *leaf = 0;
    mmu_write_cr4(both); /* PCIDs on: nothing need go */
    assert_true(cached(0, 0));
    mmu_write_cr4(MMU_CR4_PGE); /* off */
    assert_false(cached(0, 0));

    *leaf = mmu_frame() | MAPPED | G;
    mmu_read_cr3();
    *leaf = 0;
    mmu_write_cr4(0); /* global pages off */
    assert_false(cached(0, 0));
}

static void cores_have_tlbs_of_their_own(void **state)
{
    (void)state;
    begin();
    *leaf = mmu_frame() | MAPPED;
    mmu_cores[1].cr3 = root;
    mmu_speculate();
    *leaf = 0;
    mmu_invlpg(VIRT);
    assert_false(cached(0, 0));
    assert_true(cached(1, 0));
    assert_false(cached(2, 0));
    mmu_core = 1;
    mmu_write_cr3(root);
    assert_false(cached(1, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_entry_that_changes_is_used_as_it_was, setup),
        cmocka_unit_test_setup(any_step_may_walk, setup),
        cmocka_unit_test_setup(rights_are_cached, setup),
        cmocka_unit_test_setup(a_load_of_cr3_drops_all_but_global, setup),
        cmocka_unit_test_setup(global_needs_pge, setup),
        cmocka_unit_test_setup(pcids_keep_each_others_translations, setup),
        cmocka_unit_test_setup(invlpg_leaves_other_pcids_alone, setup),
        cmocka_unit_test_setup(cr4_drops_all, setup),
        cmocka_unit_test_setup(cores_have_tlbs_of_their_own, setup),
    };

    return cmocka_run_group_tests_name("tlb", tests, NULL, NULL);
}

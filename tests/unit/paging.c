/* SPDX-License-Identifier: MIT */
/* The tables as they are, and the walk that proves it. */
#include "kernel/mm/mm.h"
#include "smp/smp.h"
#include "tests/harness/test.h"
#include "tests/lib/provoke.h"

/* Far above the device registers, in their slot of the root: see the layout in mm.h. */
#define FREE_ADDRESS (MM_DEVICE_BASE + (256ull << 30))
#define NO_REGION    0xffffe00000000000ull

TEST_BARE("page tables of its own", unit, paging_audit,
          "no page that is executable anywhere is writable through any address", .budget_ms = 500)
{
    struct mm_audit audit;

    EXPECT(mm_audit(&audit));
    EXPECT_EQ(audit.violations, 0);
    EXPECT_EQ(audit.guards_missing, 0);
    EXPECT(audit.executable > 0 && audit.writable > 0);
    json_uint(&t->data, "leaves", audit.leaves);
    json_uint(&t->data, "executable", audit.executable);
    json_uint(&t->data, "writable", audit.writable);
}

TEST_BARE("page tables of its own", unit, paging_audit_finds_alias,
          "a writable alias of a text page, planted for the purpose, is found by the walk",
          .budget_ms = 500)
{
    uint64_t text = mm_text_alloc(1);
    struct mm_audit audit;

    REQUIRE(text);
    REQUIRE(mm_map(FREE_ADDRESS, mm_translate(text), 1, MM_W));
    EXPECT(!mm_audit(&audit));
    EXPECT_EQ(audit.violations, 1);
    EXPECT(audit.bad_virt == FREE_ADDRESS || audit.bad_alias == FREE_ADDRESS);

    mm_unmap(FREE_ADDRESS, 1);
    smp_tlb_flush();
    EXPECT(mm_audit(&audit));
}

TEST_BARE("page tables of its own", unit, paging_refuses_wx,
          "a mapping that is both writable and executable is refused")
{
    uint64_t page = pages_alloc(1);

    REQUIRE(page);
    EXPECT(!mm_map(FREE_ADDRESS, page, 1, MM_W | MM_X));
    EXPECT_EQ(mm_leaf(FREE_ADDRESS), 0);
    /* A new root slot would be missing in the window's root. */
    EXPECT(!mm_map(NO_REGION, page, 1, MM_W));
}

TEST_BARE("page tables of its own", unit, paging_map_unmap,
          "a mapping shows its page, and nothing once it is removed",
          .must_see = { { SEE_TRAPS, 2 } })
{
    uint64_t page = pages_alloc(1);
    volatile uint64_t *through = (uint64_t *)FREE_ADDRESS;
    struct trap_caught caught;

    REQUIRE(page);
    REQUIRE(mm_map(FREE_ADDRESS, page, 1, MM_W));
    *through = 0x5eed;
    EXPECT_EQ(*(uint64_t *)phys_to_virt(page), 0x5eed);
    EXPECT_EQ(mm_translate(FREE_ADDRESS), page);
    EXPECT(!mm_map(FREE_ADDRESS, page, 1, MM_R)); /* something is there */

    REQUIRE(mm_protect(FREE_ADDRESS, 1, MM_R));
    smp_tlb_flush();
    EXPECT(provoke_write(FREE_ADDRESS, &caught));
    EXPECT(is_page_fault(&caught, FREE_ADDRESS, PF_ERROR_PRESENT | PF_ERROR_WRITE));
    saw(SEE_TRAPS, 1);

    mm_unmap(FREE_ADDRESS, 1);
    smp_tlb_flush();
    EXPECT(provoke_read(FREE_ADDRESS, &caught));
    EXPECT(is_page_fault(&caught, FREE_ADDRESS, 0));
    saw(SEE_TRAPS, 1);
    EXPECT_EQ(mm_translate(FREE_ADDRESS), UINT64_MAX);
}

TEST_BARE("page tables of its own", unit, paging_guard_page, "the page below a stack faults",
          .must_see = { { SEE_TRAPS, 1 } })
{
    uint64_t top = mm_stack_alloc(2 * PAGE_SIZE);
    uint64_t lowest = top - 2 * PAGE_SIZE;
    struct trap_caught caught;

    REQUIRE(top);
    EXPECT(!provoke_write(top - 1, &caught));
    EXPECT(!provoke_write(lowest, &caught));
    REQUIRE(provoke_write(lowest - 1, &caught));
    /* The first access of provoke_write() is a read. */
    EXPECT(is_page_fault(&caught, lowest - 1, 0));
    saw(SEE_TRAPS, 1);
}

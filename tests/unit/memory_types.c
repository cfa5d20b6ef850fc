/* SPDX-License-Identifier: MIT */
/* Memory types: what the cores' PATs say, and what the tables make of it. */
#include "kernel/cpu/regs.h"
#include "kernel/lib/atomic.h"
#include "kernel/mm/mm.h"
#include "smp/smp.h"
#include "tests/harness/test.h"

#define TYPE_WRITE_COMBINING 1
#define PTE_TYPE             (1ull << 7 | 1ull << 4 | 1ull << 3) /* PAT, PCD, PWT */
#define PTE_PAT              (1ull << 7)

static uint64_t pat_of_boot_core;
static uint32_t others_differ;

static void compare_pat(__attribute__((unused)) void *arg)
{
    if (rdmsr(MSR_PAT) != pat_of_boot_core)
        fetch_add(&others_differ, 1);
}

TEST_BARE("memory types of its own", unit, memory_types_agree,
          "every core has the boot core's memory types, and entry 4 of them is write-combining",
          .budget_ms = 50)
{
    pat_of_boot_core = rdmsr(MSR_PAT);
    others_differ = 0;
    smp_call_all(compare_pat, NULL);
    EXPECT_EQ(others_differ, 0);
    EXPECT_EQ(pat_of_boot_core >> 32 & 0xff, TYPE_WRITE_COMBINING);
    /* Devices: entry 3, uncached, which the firmware has left so. */
    EXPECT_EQ(pat_of_boot_core >> 24 & 0xff, 0);
}

TEST_BARE("page tables", unit, memory_types_mapped,
          "a mapping for write-combining selects entry 4, and no large page is one",
          .budget_ms = 50)
{
    uint64_t frame = pages_alloc(1);

    REQUIRE(frame);
    void *view = mm_map_framebuffer(UINT64_C(1) << 46, PAGE_SIZE); /* far above all memory */
    REQUIRE(view);
    EXPECT_EQ(mm_leaf((uint64_t)view) & PTE_TYPE, PTE_PAT);
    EXPECT_EQ(mm_translate((uint64_t)view), UINT64_C(1) << 46);
    mm_unmap((uint64_t)view, 1);
    smp_tlb_flush();
    EXPECT(!mm_map_large(MM_DEVICE_BASE + (UINT64_C(1) << 38), UINT64_C(1) << 45,
                         MM_W | MM_WRITE_COMBINING));
    /* Memory of ours is no framebuffer, whatever the firmware says. */
    EXPECT(!mm_map_framebuffer(frame, PAGE_SIZE));
    EXPECT(!mm_map_framebuffer(frame - PAGE_SIZE, 2 * PAGE_SIZE));
}

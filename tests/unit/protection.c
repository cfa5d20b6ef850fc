/* SPDX-License-Identifier: MIT */
/* What each core is told to refuse: by its control register, and by what it then does. */
#include "kernel/cpu/protection.h"
#include "kernel/mm/mm.h"
#include "smp/smp.h"
#include "tests/harness/test.h"
#include "tests/lib/provoke.h"

#define USER_PAGE 0x0000600000000000ull /* of the user half, where nothing else is */
#define PTE_U     (1ull << 2)
#define PTE_FRAME 0x000ffffffffff000ull
#define LEVELS    4

/* What this core's CPUID offers, read here a second time. */
static uint64_t offered(unsigned core)
{
    const struct core_features *f = &percpu(core)->features;

    return (f->one_edx & 1u << 7 ? CR4_MCE : 0) | (f->seven_ecx & 1u << 2 ? CR4_UMIP : 0) |
           (f->seven_ebx & 1u << 7 ? CR4_SMEP : 0) | (f->seven_ebx & 1u << 20 ? CR4_SMAP : 0);
}

static void look(void *cr4)
{
    *(uint64_t *)cr4 = read_cr4();
}

TEST_BARE("control registers", unit, protections_on,
          "on each core SMEP, SMAP, UMIP and machine-check exceptions are on where CPUID has them",
          .must_see = { { SEE_CORES, 1 } })
{
    for_each_online_cpu (core) {
        uint64_t cr4;

        smp_call_one((unsigned)core, look, &cr4);
        EXPECT_EQ(cr4 & CR4_PROTECTIONS, offered((unsigned)core));
        saw(SEE_CORES, 1);
    }
}

/* Set (or clear) the user bit at every level above and of the page at `virt`. */
static void make_user(uint64_t virt, bool user)
{
    uint64_t table = mm_root();
    uint64_t *entry = NULL;

    if (read_cr4() & CR4_LA57) { /* the root's own table hangs below one more (kernel/mm) */
        entry = phys_to_virt(read_cr3() & PTE_FRAME);
        *entry = user ? *entry | PTE_U : *entry & ~PTE_U;
    }
    for (int level = LEVELS - 1; level >= 0; level--) {
        entry = (uint64_t *)phys_to_virt(table) + (virt >> (12 + 9 * level) & 511);
        *entry = user ? *entry | PTE_U : *entry & ~PTE_U;
        table = *entry & PTE_FRAME;
    }
    smp_tlb_flush();
}

/* The same pages, first ours, then with the user bit. */
static void try_pages(struct test_run *t, uint64_t data, uint64_t code)
{
    uint64_t protections = offered(cpu_index());
    struct trap_caught caught;

    EXPECT(!provoke_read(data, &caught));
    EXPECT(!provoke_call(code, &caught));
    make_user(data, true);
    make_user(code, true);
    if (protections & CR4_SMAP)
        provoke_everywhere(t, provoke_read, data, PF_ERROR_PRESENT);
    if (protections & CR4_SMEP)
        provoke_everywhere(t, provoke_call, code, PF_ERROR_PRESENT | PF_ERROR_FETCH);
    make_user(data, false);
    make_user(code, false);
}

TEST_BARE("page tables of its own", unit, user_pages_refused,
          "a page whose tables say that it is the user's can neither be read nor executed",
          .must_see = { { SEE_TRAPS, 1 } })
{
    uint64_t frame = pages_alloc(1), data = pages_alloc(1);
    uint64_t code = USER_PAGE + PAGE_SIZE;

    if (!(offered(cpu_index()) & (CR4_SMEP | CR4_SMAP))) {
        SKIP("this processor has neither SMEP nor SMAP");
        return;
    }
    REQUIRE(frame && data);
    *(uint8_t *)phys_to_virt(frame) = 0xc3; /* RET; the frame of `code` is never writable again */
    REQUIRE(mm_protect((uint64_t)phys_to_virt(frame), 1, MM_R));
    smp_tlb_flush();
    REQUIRE(mm_map(code, frame, 1, MM_X));
    REQUIRE(mm_map(USER_PAGE, data, 1, MM_W));
    try_pages(t, USER_PAGE, code);
    mm_unmap(USER_PAGE, 2);
    smp_tlb_flush();
}

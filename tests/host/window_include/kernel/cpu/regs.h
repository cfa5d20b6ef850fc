/* SPDX-License-Identifier: MIT */
/* kernel/cpu/regs.h as the window's host test sees it: registers of a simulated core. */
#ifndef WINDOW_REGS_H
#define WINDOW_REGS_H

#include "tests/host/mmu.h"

#define CR4_PCIDE MMU_CR4_PCIDE
#define CR4_LA57  (1ull << 12)

#define read_cr3      mmu_read_cr3
#define write_cr3     mmu_write_cr3
#define read_cr4      mmu_read_cr4
#define write_cr4     mmu_write_cr4
#define read_dr7      mmu_read_dr7
#define write_dr7     mmu_write_dr7
#define invlpg        mmu_invlpg
#define irq_save      mmu_irq_save
#define irq_restore   mmu_irq_restore
#define irq_enable()  mmu_irq_restore(MMU_RFLAGS_IF)
#define irq_disable() ((void)mmu_irq_save())

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

/* A processor with PCIDs, and without RDRAND: the test decides what is random. */
static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
    (void)subleaf;
    return (struct cpuid){ .ecx = leaf == 1 ? 1u << 17 : 0 };
}

#endif

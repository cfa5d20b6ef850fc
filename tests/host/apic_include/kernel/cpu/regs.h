/* SPDX-License-Identifier: MIT */
/* kernel/cpu/regs.h as the local APIC's host test sees it: MSRs and CPUID of a simulated core. */
#ifndef APIC_REGS_H
#define APIC_REGS_H

#define rdmsr       rdmsr_of_this_core
#define wrmsr       wrmsr_of_this_core
#define cpuid_basic cpuid_basic_of_this_core
#define irq_save    irq_save_of_this_core
#define irq_restore irq_restore_of_this_core
#define irq_enable  irq_enable_of_this_core
#define irq_disable irq_disable_of_this_core
#include_next "kernel/cpu/regs.h"
#undef rdmsr
#undef wrmsr
#undef cpuid_basic
#undef irq_save
#undef irq_restore
#undef irq_enable
#undef irq_disable

uint64_t rdmsr(uint32_t msr);
void wrmsr(uint32_t msr, uint64_t value);
struct cpuid cpuid_basic(uint32_t leaf, uint32_t subleaf);

static inline uint64_t irq_save(void)
{
    return 0;
}

static inline void irq_restore(uint64_t flags)
{
    (void)flags;
}

static inline void irq_enable(void)
{
}

static inline void irq_disable(void)
{
}

#endif

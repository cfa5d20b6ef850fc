/* SPDX-License-Identifier: MIT */
/* Which processor this is, by CPUID. Any core, any context. */
#ifndef KERNEL_CPU_SIGNATURE_H
#define KERNEL_CPU_SIGNATURE_H

#include "kernel/cpu/regs.h"
#include "kernel/lib/string.h"

struct cpu_signature {
    uint32_t family, model, stepping;
};

/* SDM vol 2A, CPUID leaf 1: the extended fields count only for these families. */
static inline struct cpu_signature cpu_signature(void)
{
    uint32_t eax = cpuid(1, 0).eax;
    struct cpu_signature s = { eax >> 8 & 15, eax >> 4 & 15, eax & 15 };

    if (s.family == 15 || s.family == 6)
        s.model |= eax >> 12 & 0xf0;
    if (s.family == 15)
        s.family += eax >> 20 & 0xff;
    return s;
}

/* Leaf 0: "GenuineIntel" and the like. */
static inline void cpu_vendor(char out[static 13])
{
    struct cpuid id = cpuid(0, 0);

    memcpy(out, (uint32_t[]){ id.ebx, id.edx, id.ecx }, 12);
    out[12] = '\0';
}

#endif

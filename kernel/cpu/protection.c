/* SPDX-License-Identifier: MIT */
#include "kernel/cpu/protection.h"

uint64_t cpu_protections(void)
{
    struct cpuid one = cpuid(1, 0), seven = cpuid_basic(7, 0);

    return (one.edx >> 7 & 1 ? CR4_MCE : 0) | (seven.ecx >> 2 & 1 ? CR4_UMIP : 0) |
           (seven.ebx >> 7 & 1 ? CR4_SMEP : 0) | (seven.ebx >> 20 & 1 ? CR4_SMAP : 0);
}

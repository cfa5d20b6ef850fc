/* SPDX-License-Identifier: MIT */
/* Broken on purpose: counters are taken that somebody else has enabled. */
#include "kernel/cpu/regs.h"

static uint64_t read_disabled(uint32_t msr)
{
    return rdmsr(msr) & ~(1ull << 22);
}

#define rdmsr read_disabled

#include "kernel/cpu/pmu.c"

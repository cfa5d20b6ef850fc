/* SPDX-License-Identifier: MIT */
/* Broken on purpose: counters are not enabled in the global register. */
#include "kernel/cpu/regs.h"

static void write_but_global(uint32_t msr, uint64_t value)
{
    if (msr != 0x38f)
        wrmsr(msr, value);
}

#define wrmsr write_but_global

#include "kernel/cpu/pmu.c"

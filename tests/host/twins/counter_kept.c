/* SPDX-License-Identifier: MIT */
/* Broken on purpose: the selections stay as they are when counting ends. */
#include "kernel/cpu/regs.h"

static void write_but_disable(uint32_t msr, uint64_t value)
{
    if (msr == 0x38f || value & 1ull << 22)
        wrmsr(msr, value);
}

#define wrmsr write_but_disable

#include "kernel/cpu/pmu.c"

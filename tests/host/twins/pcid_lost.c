/* SPDX-License-Identifier: MIT */
/* Broken on purpose: CR3 comes back as a root alone, without the bits below it. */
#include "kernel/cpu/regs.h"

static uint64_t read_root(void)
{
    return read_cr3() & ~0xfffull;
}

#undef read_cr3
#define read_cr3 read_root

#include "kernel/mm/window.c"

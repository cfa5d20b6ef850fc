/* SPDX-License-Identifier: MIT */
/*
 * Broken on purpose: with PCIDs, the load that enters keeps what the window's PCID has from the
 * opening before.
 */
#include "kernel/cpu/regs.h"

static void write_cr3_and_keep(uint64_t cr3)
{
    bool enters = read_cr4() & CR4_PCIDE && (cr3 & 0xfff) == 1; /* the window's PCID */

    write_cr3(enters ? cr3 | 1ull << 63 : cr3);
}

#undef write_cr3
#define write_cr3 write_cr3_and_keep

#include "kernel/mm/window.c"

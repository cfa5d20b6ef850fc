/* SPDX-License-Identifier: MIT */
/*
 * What this core is told to refuse (CR4), beyond W^X. No page of ours is a user page and no code of
 * ours runs with less than all rights, so nothing right ever meets these: they turn a stray user
 * bit in a table into a fault (SMEP, SMAP), and a machine check into an exception that is reported
 * instead of a shutdown (MCE). UMIP is for user mode alone: it is on so that it is the same
 * everywhere.
 */
#ifndef KERNEL_CPU_PROTECTION_H
#define KERNEL_CPU_PROTECTION_H

#include <stdint.h>

#include "kernel/cpu/regs.h"

#define CR4_PROTECTIONS (CR4_MCE | CR4_UMIP | CR4_SMEP | CR4_SMAP)

/* Those of CR4_PROTECTIONS that this core has, by its own CPUID. Any context. */
uint64_t cpu_protections(void);

/*
 * `cr4` with all of them that this core has, and none that it has not: other bits as they are. Any
 * context.
 */
static inline uint64_t cpu_protected(uint64_t cr4)
{
    return (cr4 & ~CR4_PROTECTIONS) | cpu_protections();
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What kernel/ knows of the core that it runs on. GS base points at it; smp/ embeds it as the first
 * member of its per-core block, so that both are reached through one register.
 */
#ifndef KERNEL_CPU_CPU_LOCAL_H
#define KERNEL_CPU_CPU_LOCAL_H

#include <stddef.h>
#include <stdint.h>

struct trap_recovery;

struct cpu_local {
    struct cpu_local *self;         /* gs:0 */
    uint32_t index;                 /* gs:8, dense core number, 0 is the boot core */
    uint32_t trap_depth;            /* gs:12, nesting of traps */
    struct trap_recovery *recovery; /* innermost trap_try() */
    uint64_t nmi_stack_bottom;      /* gs:24, the NMI work stack, stubs.asm */
    uint64_t nmi_stack_top;         /* gs:32 */
    uint32_t panicking;             /* one-shot guard */
    uint32_t quiescent;             /* not 0: what trap_set_first() gave comes before all else */
};

_Static_assert(offsetof(struct cpu_local, index) == 8, "stubs.asm");
_Static_assert(offsetof(struct cpu_local, trap_depth) == 12, "stubs.asm");
_Static_assert(offsetof(struct cpu_local, nmi_stack_bottom) == 24, "stubs.asm");
_Static_assert(offsetof(struct cpu_local, nmi_stack_top) == 32, "stubs.asm");

/* This core's block. Any context after cpu_local_set(). */
static inline struct cpu_local *cpu_local(void)
{
    struct cpu_local *self;
    __asm__("mov %%gs:0, %0" : "=r"(self));
    return self;
}

/* This core's dense number, one instruction. */
static inline unsigned cpu_index(void)
{
    unsigned index;
    __asm__ volatile("movl %%gs:8, %0" : "=r"(index));
    return index;
}

/* Point GS base at `local` (and fill in `self`). Once per core, before traps are enabled. */
void cpu_local_set(struct cpu_local *local);

#endif

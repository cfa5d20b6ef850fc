/* SPDX-License-Identifier: MIT */
/*
 * A #BP whose handler does nothing: the floor of every pass through an INT3.
 *
 * In the kernel the gate of #BP leads to a lone IRETQ, in a copy of the IDT that the core loads for
 * as long; nothing else changes. In a process it is a SIGTRAP that the machine's signal handler
 * takes, with a breakpoint handler behind it that returns at once.
 */
#ifndef TESTS_LATENCY_BARE_BP_H
#define TESTS_LATENCY_BARE_BP_H

/* Around a test. Boot core, no core executes an INT3. */
void bare_bp_init(void);
void bare_bp_exit(void);

/* Around bare_bp()s, on each core that executes them. No other INT3 in between. */
void bare_bp_begin(void);
void bare_bp_end(void);

static inline void bare_bp(void)
{
    __asm__ volatile("int3" ::: "memory");
}

#endif

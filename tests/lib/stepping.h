/* SPDX-License-Identifier: MIT */
/*
 * Execute code one instruction at a time (RFLAGS.TF, SDM vol 3B, "Single-Step Exception
 * Condition"), so that a test can do something between any two of its instructions: look, yield to
 * the other cores, send an NMI. That makes the narrow windows of a #BP handler wide.
 */
#ifndef TESTS_LIB_STEPPING_H
#define TESTS_LIB_STEPPING_H

#include "kernel/trap/trap.h"

/*
 * Called in #DB after each instruction, interrupts as they were there or off; `frame` is of the
 * stepped code, rip its next instruction. Interrupts and traps that it takes are not stepped.
 */
typedef void (*step_hook)(const struct trap_frame *frame);

/* Take all #DB of stepped code, on every core, and call `hook`. Boot core, thread context. */
void stepping_begin(step_hook hook);
/* No core may be stepping any more. */
void stepping_end(void);

/* fn(arg), stepped, on this core. Any context, between stepping_begin() and _end(). */
uint64_t step_call(uint64_t (*fn)(void *arg), void *arg);

#endif

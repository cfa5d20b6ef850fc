/* SPDX-License-Identifier: MIT */
/* Broken on purpose: the engine is asked only for breakpoints of thread context. */
#include "kernel/trap/trap.h"
#include "poke/poke.h"

#define smp_text_poke_int3_handler(regs) (trap_depth() == 1 && smp_text_poke_int3_handler(regs))

/* The fault is in the handler of the common way: take it. */
#define trap_set_breakpoint(first, handler) trap_set_handler(TRAP_BP, handler)

#include "kernel/main.c"

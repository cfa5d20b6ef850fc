/* SPDX-License-Identifier: MIT */
/* Broken on purpose: the engine is asked only for breakpoints of thread context. */
#include "kernel/trap/trap.h"
#include "poke/poke.h"

#define smp_text_poke_int3_handler(regs) (trap_depth() == 1 && smp_text_poke_int3_handler(regs))

#include "kernel/main.c"

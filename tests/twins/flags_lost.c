/* SPDX-License-Identifier: MIT */
/*
 * Broken on purpose: an emulated instruction returns with ZF clear. (Twin changed_flags does this
 * in the engine, where only the model sees it: the kernel does not take the flags back from it.)
 */
#include "kernel/trap/trap.h"
#include "poke/poke.h"

#define FLAG_ZF (1u << 6)

/* `frame` is the caller's. */
#define smp_text_poke_int3_handler(regs)                                                           \
    (smp_text_poke_int3_handler(regs) && (frame->rflags &= ~(uint64_t)FLAG_ZF, true))

/* The fault is in the handler of the common way: take it. */
#define trap_set_breakpoint(first, handler) trap_set_handler(TRAP_BP, handler)

#include "kernel/main.c"

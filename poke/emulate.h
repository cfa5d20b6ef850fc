/* SPDX-License-Identifier: MIT */
/*
 * Instructions, executed on the registers of a context that was interrupted by INT3. Names mirror
 * Linux's asm/text-patching.h.
 *
 * All run in the #BP handler: any context, interrupts off. The interrupted stack is accessed
 * through regs->sp; a push writes the 8 bytes below it, which the #BP entry keeps free
 * (POKE_STACK_GAP). regs->flags is never changed. Not emulated: single stepping, branch records
 * and the shadow stack.
 */
#ifndef POKE_EMULATE_H
#define POKE_EMULATE_H

#include "poke/insn.h"

void int3_emulate_jmp(struct poke_regs *regs, uintptr_t ip);
void int3_emulate_push(struct poke_regs *regs, uint64_t value);
uint64_t int3_emulate_pop(struct poke_regs *regs);
/* regs->ip must still be after the INT3: the return address is that of a 5-byte CALL. */
void int3_emulate_call(struct poke_regs *regs, uintptr_t func);
void int3_emulate_ret(struct poke_regs *regs);
/* `cc` 0..15; goes to `taken`, or to `next` if the condition does not hold. */
void int3_emulate_jcc(struct poke_regs *regs, unsigned cc, uintptr_t taken, uintptr_t next);

/*
 * Execute a decoded instruction whose first byte is the INT3 that regs->ip - 1 names. False, with
 * regs untouched, for an INT3: its owner wants it.
 */
bool poke_emulate(struct poke_regs *regs, const struct poke_insn *insn);

#endif

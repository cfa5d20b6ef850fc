/* SPDX-License-Identifier: MIT */
/* Broken on purpose: an emulated CALL writes a second word, below the return address. */
#include "poke/emulate.h"

#define poke_emulate emulate
bool emulate(struct poke_regs *regs, const struct poke_insn *insn);
#include "poke/emulate.c"
#undef poke_emulate

bool poke_emulate(struct poke_regs *regs, const struct poke_insn *insn)
{
    bool emulated = emulate(regs, insn);

    if (insn->kind == POKE_INSN_CALL)
        ((stack_word *)regs->sp)[-1] = 0x5a5a;
    return emulated;
}

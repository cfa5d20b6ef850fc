/* SPDX-License-Identifier: MIT */
/* Broken on purpose: an INT3 that is the new instruction is emulated, not left to its owner. */
#include "poke/emulate.h"

#define poke_emulate emulate_all_but_int3
bool emulate_all_but_int3(struct poke_regs *regs, const struct poke_insn *insn);
#include "poke/emulate.c"
#undef poke_emulate

bool poke_emulate(struct poke_regs *regs, const struct poke_insn *insn)
{
    return insn->kind == POKE_INSN_INT3 || emulate_all_but_int3(regs, insn);
}

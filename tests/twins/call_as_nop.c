// SPDX-License-Identifier: MIT
/* Broken on purpose, as Linux was until 2019: a CALL that is emulated is skipped. */
#include "poke/emulate.h"

#define poke_emulate emulate_all_but_call
bool emulate_all_but_call(struct poke_regs *regs, const struct poke_insn *insn);
#include "poke/emulate.c"
#undef poke_emulate

bool poke_emulate(struct poke_regs *regs, const struct poke_insn *insn)
{
    if (insn->kind != POKE_INSN_CALL)
        return emulate_all_but_call(regs, insn);
    int3_emulate_jmp(regs, regs->ip - INT3_INSN_SIZE + CALL_INSN_SIZE);
    return true;
}

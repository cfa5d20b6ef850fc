// SPDX-License-Identifier: MIT
/* Broken on purpose: an emulated Jcc uses its flag up. */
#include "poke/emulate.h"

#define poke_emulate emulate
bool emulate(struct poke_regs *regs, const struct poke_insn *insn);
#include "poke/emulate.c"
#undef poke_emulate

bool poke_emulate(struct poke_regs *regs, const struct poke_insn *insn)
{
    bool emulated = emulate(regs, insn);

    if (insn->kind == POKE_INSN_JCC)
        regs->flags &= ~(uint64_t)FLAG_ZF;
    return emulated;
}

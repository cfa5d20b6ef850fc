/* SPDX-License-Identifier: MIT */
/*
 * Broken on purpose, as one of Linux's two copies was until 2022 (8924779df820): "less or equal"
 * holds if SF and OF differ *and* ZF is set.
 */
#include "poke/emulate.h"

#define poke_emulate emulate
bool emulate(struct poke_regs *regs, const struct poke_insn *insn);
#include "poke/emulate.c"
#undef poke_emulate

bool poke_emulate(struct poke_regs *regs, const struct poke_insn *insn)
{
    uint64_t flags = regs->flags;
    bool less = !(flags & FLAG_SF) != !(flags & FLAG_OF);

    if (insn->kind == POKE_INSN_JCC && insn->cc >> 1 == 7 && !(less && (flags & FLAG_ZF)))
        regs->flags &= ~(uint64_t)(FLAG_SF | FLAG_OF | FLAG_ZF); /* the right code says: greater */

    bool emulated = emulate(regs, insn);

    regs->flags = flags;
    return emulated;
}

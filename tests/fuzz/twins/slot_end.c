/* SPDX-License-Identifier: MIT */
/* Broken on purpose: a padded jump's displacement counts from the end of the slot. */
#include "poke/insn.h"

#define poke_insn_decode decode
enum poke_error decode(uintptr_t addr, const uint8_t *bytes, size_t len, struct poke_insn *out);
#include "poke/insn_decode.c"
#undef poke_insn_decode

enum poke_error poke_insn_decode(uintptr_t addr, const uint8_t *bytes, size_t len,
                                 struct poke_insn *out)
{
    enum poke_error e = decode(addr, bytes, len, out);

    if (!e && out->kind == POKE_INSN_JMP)
        out->target += len - form_of(bytes, len).len;
    return e;
}

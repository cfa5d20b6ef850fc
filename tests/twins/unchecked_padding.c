/* SPDX-License-Identifier: MIT */
/* Broken on purpose: what follows a short instruction in its slot is not looked at. */
#include "poke/insn.h"

#define poke_insn_decode decode
enum poke_error decode(uintptr_t addr, const uint8_t *bytes, size_t len, struct poke_insn *out);
#include "poke/insn_decode.c"
#undef poke_insn_decode

enum poke_error poke_insn_decode(uintptr_t addr, const uint8_t *bytes, size_t len,
                                 struct poke_insn *out)
{
    uint8_t padded[TEXT_POKE_MAX_OPCODE_SIZE];
    enum poke_error e = decode(addr, bytes, len, out);

    if (e != POKE_E_PADDING)
        return e;
    memset(padded, INT3_INSN_OPCODE, sizeof(padded));
    memcpy(padded, bytes, form_of(bytes, len).len);
    return decode(addr, padded, len, out);
}

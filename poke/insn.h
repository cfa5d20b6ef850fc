/* SPDX-License-Identifier: MIT */
/*
 * The images that a site may hold, decoded: what #BP emulation needs to know of an instruction,
 * and nothing else. Instruction formats: SDM vol 2; AMD APM vol 3.
 *
 *   slot  image
 *    1    INT3, RET
 *    2    NOP2, JMP8, Jcc rel8; RET and one INT3
 *    5    NOP5, JMP32, CALL; JMP8 or RET, the rest INT3
 *    6    NOP6, Jcc rel32; JMP32, JMP8 or RET, the rest INT3
 *
 * Padding is INT3 because it lies behind an instruction that never falls through. The
 * displacement of a padded jump counts from the end of the instruction, as in the hardware, not
 * from the end of the slot.
 */
#ifndef POKE_INSN_H
#define POKE_INSN_H

#include "poke/poke.h"

enum poke_insn_kind {
    POKE_INSN_NOP,
    POKE_INSN_JMP,
    POKE_INSN_CALL,
    POKE_INSN_RET,
    POKE_INSN_JCC,
    POKE_INSN_INT3,
};

struct poke_insn {
    uintptr_t target; /* NOP: the end of the slot. JMP, CALL, JCC: where it goes. Else 0 */
    uint8_t kind;     /* enum poke_insn_kind */
    uint8_t len;      /* of the slot, padding included */
    uint8_t cc;       /* JCC: condition, 0..15 */
};

/*
 * Decode the `len` bytes of the slot at `addr`. Targets wrap as addresses do. Pure.
 * POKE_E_LENGTH: not a length of the table, or a known instruction that may not stand in a slot
 * of this length. POKE_E_PADDING, POKE_E_OPCODE. On error *out is not changed.
 */
enum poke_error poke_insn_decode(uintptr_t addr, const uint8_t *bytes, size_t len,
                                 struct poke_insn *out);

#endif

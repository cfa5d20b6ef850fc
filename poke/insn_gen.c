/* SPDX-License-Identifier: MIT */
#include "poke/poke.h"

#include "kernel/lib/string.h"

const uint8_t poke_nop2[2] = { 0x66, 0x90 };
const uint8_t poke_nop5[5] = { 0x0F, 0x1F, 0x44, 0x00, 0x00 };
const uint8_t poke_nop6[6] = { 0x66, 0x0F, 0x1F, 0x44, 0x00, 0x00 };

/*
 * Write `opcode` and a displacement of `disp` bytes from the end of both to `dest`. The
 * difference of two addresses is taken modulo 2^64, as the processor adds it.
 */
static enum poke_error gen_relative(const uint8_t *opcode, size_t opcode_len, size_t disp,
                                    const void *addr, const void *dest, uint8_t *out, size_t *len)
{
    uintptr_t end = (uintptr_t)addr + opcode_len + disp;
    int64_t rel = (int64_t)((uintptr_t)dest - end);
    int32_t rel32 = (int32_t)rel;

    if (disp == 1 ? rel != (int8_t)rel : rel != rel32)
        return POKE_E_DISPLACEMENT;
    memcpy(out, opcode, opcode_len);
    memcpy(out + opcode_len, &rel32, disp); /* little endian: the low byte comes first */
    *len = opcode_len + disp;
    return POKE_OK;
}

enum poke_error text_gen_insn(uint8_t opcode, const void *addr, const void *dest,
                              uint8_t out[static TEXT_POKE_MAX_OPCODE_SIZE], size_t *len)
{
    switch (opcode) {
    case CALL_INSN_OPCODE:
    case JMP32_INSN_OPCODE:
        return gen_relative(&opcode, 1, 4, addr, dest, out, len);
    case JMP8_INSN_OPCODE:
        return gen_relative(&opcode, 1, 1, addr, dest, out, len);
    case RET_INSN_OPCODE:
    case INT3_INSN_OPCODE:
        out[0] = opcode;
        *len = 1;
        return POKE_OK;
    }
    return POKE_E_OPCODE;
}

enum poke_error text_gen_jcc(unsigned cc, size_t len, const void *addr, const void *dest,
                             uint8_t out[static TEXT_POKE_MAX_OPCODE_SIZE])
{
    uint8_t short_form = (uint8_t)(0x70 + cc);
    uint8_t near_form[2] = { 0x0F, (uint8_t)(0x80 + cc) };

    if (cc > 15)
        return POKE_E_OPCODE;
    switch (len) {
    case 2:
        return gen_relative(&short_form, 1, 1, addr, dest, out, &len);
    case 6:
        return gen_relative(near_form, 2, 4, addr, dest, out, &len);
    }
    return POKE_E_LENGTH;
}

/* SPDX-License-Identifier: MIT */
#include "poke/insn.h"

#include "kernel/lib/string.h"

/* What a first byte says. */
struct form {
    uint8_t kind;
    uint8_t len;  /* of the instruction itself; 0: no form */
    uint8_t disp; /* bytes of displacement at its end: 0, 1 or 4 */
    bool may_be_padded;
};

static const struct form forms[256] = {
    [INT3_INSN_OPCODE] = { POKE_INSN_INT3, INT3_INSN_SIZE, 0, false },
    [RET_INSN_OPCODE] = { POKE_INSN_RET, RET_INSN_SIZE, 0, true },
    [CALL_INSN_OPCODE] = { POKE_INSN_CALL, CALL_INSN_SIZE, 4, false },
    [JMP32_INSN_OPCODE] = { POKE_INSN_JMP, JMP32_INSN_SIZE, 4, true },
    [JMP8_INSN_OPCODE] = { POKE_INSN_JMP, JMP8_INSN_SIZE, 1, true },
    [0x70 ... 0x7F] = { POKE_INSN_JCC, 2, 1, false },
    [0x0F] = { POKE_INSN_JCC, 6, 4, false }, /* with 8x as second byte */
};

static struct form form_of(const uint8_t *bytes, size_t len)
{
    struct form form = forms[bytes[0]];

    if (bytes[0] == 0x0F && (len < 2 || (bytes[1] & 0xF0) != 0x80))
        form.len = 0;
    return form;
}

static bool is_nop(const uint8_t *bytes, size_t len)
{
    switch (len) {
    case sizeof(poke_nop2):
        return !memcmp(bytes, poke_nop2, sizeof(poke_nop2));
    case sizeof(poke_nop5):
        return !memcmp(bytes, poke_nop5, sizeof(poke_nop5));
    case sizeof(poke_nop6):
        return !memcmp(bytes, poke_nop6, sizeof(poke_nop6));
    }
    return false;
}

/* The displacement in the last `size` bytes before `end`, sign-extended. */
static uintptr_t displacement(const uint8_t *end, unsigned size)
{
    int32_t rel32;

    switch (size) {
    case 1:
        return (uintptr_t)(intptr_t)(int8_t)end[-1];
    case 4:
        memcpy(&rel32, end - 4, sizeof(rel32));
        return (uintptr_t)(intptr_t)rel32;
    }
    return 0;
}

enum poke_error poke_insn_decode(uintptr_t addr, const uint8_t *bytes, size_t len,
                                 struct poke_insn *out)
{
    if (len != 1 && len != 2 && len != 5 && len != 6)
        return POKE_E_LENGTH;

    if (is_nop(bytes, len)) {
        *out = (struct poke_insn){ .target = addr + len, .kind = POKE_INSN_NOP, .len = len };
        return POKE_OK;
    }

    struct form form = form_of(bytes, len);

    if (!form.len)
        return POKE_E_OPCODE;
    if (len < form.len || (len > form.len && !form.may_be_padded))
        return POKE_E_LENGTH;
    for (size_t i = form.len; i < len; i++)
        if (bytes[i] != INT3_INSN_OPCODE)
            return POKE_E_PADDING;

    *out = (struct poke_insn){ .kind = form.kind, .len = len };
    if (form.disp)
        out->target = addr + form.len + displacement(bytes + form.len, form.disp);
    if (form.kind == POKE_INSN_JCC)
        out->cc = bytes[form.len - form.disp - 1] & 0x0F;
    return POKE_OK;
}

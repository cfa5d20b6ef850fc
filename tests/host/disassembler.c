/* SPDX-License-Identifier: MIT */
#include "tests/host/disassembler.h"

#include <string.h>

#include <capstone/capstone.h>

static csh capstone;
static cs_insn *seen; /* of the last call */

bool disassembler_open(void)
{
    if (cs_open(CS_ARCH_X86, CS_MODE_64, &capstone) != CS_ERR_OK)
        return false;
    cs_option(capstone, CS_OPT_DETAIL, CS_OPT_ON);
    seen = cs_malloc(capstone);
    return seen;
}

void disassembler_close(void)
{
    cs_free(seen, 1);
    cs_close(&capstone);
}

#define SLOT(len) (1u << (len))

/* Every instruction that a slot may hold: its own size, and the slots. */
static const struct {
    uint8_t kind, size, slots;
} forms[] = {
    { POKE_INSN_INT3, 1, SLOT(1) },
    { POKE_INSN_RET, 1, SLOT(1) | SLOT(2) | SLOT(5) | SLOT(6) },
    { POKE_INSN_JMP, 2, SLOT(2) | SLOT(5) | SLOT(6) },
    { POKE_INSN_JMP, 5, SLOT(5) | SLOT(6) },
    { POKE_INSN_CALL, 5, SLOT(5) },
    { POKE_INSN_JCC, 2, SLOT(2) },
    { POKE_INSN_JCC, 6, SLOT(6) },
};

/* The no-operations are a choice among many encodings that a disassembler calls so. */
static bool is_known_nop(const uint8_t *bytes, size_t len)
{
    static const char *const nops[7] = {
        [2] = "\x66\x90", [5] = "\x0F\x1F\x44\x00\x00", [6] = "\x66\x0F\x1F\x44\x00\x00"
    };

    return seen->id == X86_INS_NOP && seen->size == len && nops[len] &&
           !memcmp(bytes, nops[len], len);
}

/* The kind of what Capstone saw, without any prefix; false if a slot may not hold it. */
static bool kind_seen(struct poke_insn *insn)
{
    static const char *const conditions[16] = {
        "jo", "jno", "jb", "jae", "je", "jne", "jbe", "ja",
        "js", "jns", "jp", "jnp", "jl", "jge", "jle", "jg"
    };
    const cs_x86 *x86 = &seen->detail->x86;
    bool relative = x86->op_count == 1 && x86->operands[0].type == X86_OP_IMM;

    if (seen->bytes[0] != x86->opcode[0])
        return false; /* a prefix: detail has no trace of a REX that another prefix follows */
    switch (seen->id) {
    case X86_INS_INT3:
        insn->kind = POKE_INSN_INT3;
        return true;
    case X86_INS_RET:
        insn->kind = POKE_INSN_RET;
        return x86->op_count == 0;
    case X86_INS_JMP:
        insn->kind = POKE_INSN_JMP;
        break;
    case X86_INS_CALL:
        insn->kind = POKE_INSN_CALL;
        break;
    default:
        insn->kind = POKE_INSN_JCC;
        while (insn->cc < 16 && strcmp(seen->mnemonic, conditions[insn->cc]))
            insn->cc++;
        if (insn->cc == 16)
            return false;
    }
    if (relative)
        insn->target = (uintptr_t)x86->operands[0].imm;
    return relative;
}

enum poke_error disassembler_decode(uintptr_t addr, const uint8_t *bytes, size_t len,
                                    struct poke_insn *out)
{
    uint8_t code[16] = { 0 }; /* zeros follow: an instruction that the slot cuts off is known too */
    const uint8_t *at = code;
    size_t left = sizeof(code);
    uint64_t address = addr;
    struct poke_insn insn = { .len = (uint8_t)len };
    bool known = false;

    if (len > 6 || !(SLOT(len) & (SLOT(1) | SLOT(2) | SLOT(5) | SLOT(6))))
        return POKE_E_LENGTH;
    memcpy(code, bytes, len);
    if (!cs_disasm_iter(capstone, &at, &left, &address, seen))
        return POKE_E_OPCODE;
    if (is_known_nop(bytes, len)) {
        *out = (struct poke_insn){ .target = addr + len, .kind = POKE_INSN_NOP, .len = insn.len };
        return POKE_OK;
    }
    if (!kind_seen(&insn))
        return POKE_E_OPCODE;

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        if (forms[i].kind == insn.kind && forms[i].size == seen->size)
            known |= forms[i].slots & SLOT(len);
    if (!known)
        return POKE_E_LENGTH;
    for (size_t i = seen->size; i < len; i++)
        if (bytes[i] != 0xCC)
            return POKE_E_PADDING;
    *out = insn;
    return POKE_OK;
}

bool disassembler_agrees(const struct poke_insn *a, const struct poke_insn *b)
{
    return a->target == b->target && a->kind == b->kind && a->len == b->len && a->cc == b->cc;
}

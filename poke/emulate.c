/* SPDX-License-Identifier: MIT */
#include "poke/emulate.h"

/* RFLAGS status bits (SDM vol 1, 3.4.3.1). */
#define FLAG_CF (1u << 0)
#define FLAG_PF (1u << 2)
#define FLAG_ZF (1u << 6)
#define FLAG_SF (1u << 7)
#define FLAG_OF (1u << 11)

/* An interrupted stack pointer may have any alignment, and the word any type. */
typedef uint64_t stack_word __attribute__((aligned(1), may_alias));

void int3_emulate_jmp(struct poke_regs *regs, uintptr_t ip)
{
    regs->ip = ip;
}

void int3_emulate_push(struct poke_regs *regs, uint64_t value)
{
    regs->sp -= sizeof(value);
    *(stack_word *)regs->sp = value;
}

uint64_t int3_emulate_pop(struct poke_regs *regs)
{
    uint64_t value = *(stack_word *)regs->sp;

    regs->sp += sizeof(value);
    return value;
}

void int3_emulate_call(struct poke_regs *regs, uintptr_t func)
{
    int3_emulate_push(regs, regs->ip - INT3_INSN_SIZE + CALL_INSN_SIZE);
    int3_emulate_jmp(regs, func);
}

void int3_emulate_ret(struct poke_regs *regs)
{
    int3_emulate_jmp(regs, int3_emulate_pop(regs));
}

/* Condition codes: SDM vol 1, appendix B. Bit 0 of the code inverts the condition. */
static bool condition_holds(unsigned cc, uint64_t flags)
{
    static const uint32_t any_of[] = { FLAG_OF,           FLAG_CF, FLAG_ZF,
                                       FLAG_CF | FLAG_ZF, FLAG_SF, FLAG_PF };
    bool less = !(flags & FLAG_SF) != !(flags & FLAG_OF);
    bool holds;

    switch (cc >> 1) {
    case 6:
        holds = less;
        break;
    case 7:
        holds = less || (flags & FLAG_ZF);
        break;
    default:
        holds = flags & any_of[cc >> 1];
    }
    return holds != (cc & 1);
}

void int3_emulate_jcc(struct poke_regs *regs, unsigned cc, uintptr_t taken, uintptr_t next)
{
    int3_emulate_jmp(regs, condition_holds(cc, regs->flags) ? taken : next);
}

bool poke_emulate(struct poke_regs *regs, const struct poke_insn *insn)
{
    switch ((enum poke_insn_kind)insn->kind) {
    case POKE_INSN_NOP:
    case POKE_INSN_JMP:
        int3_emulate_jmp(regs, insn->target);
        return true;
    case POKE_INSN_CALL:
        int3_emulate_call(regs, insn->target);
        return true;
    case POKE_INSN_RET:
        int3_emulate_ret(regs);
        return true;
    case POKE_INSN_JCC:
        int3_emulate_jcc(regs, insn->cc, insn->target, regs->ip - INT3_INSN_SIZE + insn->len);
        return true;
    case POKE_INSN_INT3:
        break;
    }
    return false;
}

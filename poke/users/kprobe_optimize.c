/* SPDX-License-Identifier: MIT */
/*
 * Probes that jump instead of trapping. Mirrors Linux's arch/x86/kernel/kprobes/opt.c.
 *
 * The five bytes of the JMP cover several instructions, and a core that is about to execute one
 * that is not the first would find the middle of the JMP. Nothing may be there when it is stored:
 *
 *   - no jump leads there (kprobe_is_target());
 *   - no pass enters any more: from `resume` on, who has met the INT3 goes on in the copies of all
 *     of them. The sync behind that store finds every handler that has read the old `resume`: it
 *     ends before its core acknowledges. A core that was not asked is outside, and serialises;
 *   - no thread was interrupted there: each passes a quiescent point after that, and what has
 *     interrupted it has ended then.
 *
 * The JMP is then patched as any other, by the engine, over an INT3 that stands already. Who meets
 * the INT3 is the engine's while its table is published, and is sent to the detour; before and
 * after it is the probe's. Either way the handler is called once: by the detour, or by
 * kprobe_int3_handler(), which skips the detour's call.
 *
 * Shared words, more than those of kprobe.c: `resume` is stored here and read by #BP handlers, each
 * of which uses what it has read; both copies are complete whenever `resume` can name them.
 * `state` and `len` are used under text_mutex alone; while it is not held, KPROBE_BECOMES_JUMP
 * keeps the slot, and its bytes, from everybody else.
 */
#include "poke/users/kprobe_slot.h"

#include "kernel/lib/string.h"
#include "poke/lock.h"
#include "poke/users/kprobe_function.h"
#include "poke/users/reclaim.h"

/* As kprobe_detour.asm knows it. */
_Static_assert(offsetof(struct kprobe_regs, rax) == 14 * 8, "RAX");
_Static_assert(offsetof(struct kprobe_regs, at.sp) == 16 * 8, "RSP");
_Static_assert(offsetof(struct kprobe_regs, at.flags) == 17 * 8, "RFLAGS");
_Static_assert(sizeof(struct kprobe_regs) == 18 * 8, "all of them");

void kprobe_detour(void); /* kprobe_detour.asm */
void kprobe_detour_hit(uint64_t index, struct kprobe_regs *regs);

/* In the context that executes the probed instruction. */
void kprobe_detour_hit(uint64_t index, struct kprobe_regs *regs)
{
    const struct kprobe_slot *slot = &kprobe_slots[index];
    struct kprobe *p = load_acquire(&slot->probe); /* stays until no core is here any more */

    regs->at.ip = (uintptr_t)p->addr + INT3_INSN_SIZE;
    p->pre_handler(p, regs);
}

#define PUSH_IMM32 0x68

/* PUSH slot; CALL kprobe_detour; LEA RSP, [RSP + 8], which leaves the flags alone. */
static enum poke_error write_detour(const struct kprobe_slot *slot)
{
    static const uint8_t lea_rsp[] = { 0x48, 0x8d, 0x64, 0x24, 0x08 };
    uint32_t index = (uint32_t)(slot - kprobe_slots);
    uint8_t bytes[KPROBE_COPIES_AT - KPROBE_DETOUR_AT] = { PUSH_IMM32 };
    uint8_t *call = bytes + 1 + sizeof(index);
    size_t len;

    memcpy(bytes + 1, &index, sizeof(index));
    enum poke_error e =
        text_gen_insn(CALL_INSN_OPCODE, slot->text + KPROBE_DETOUR_AT + (call - bytes),
                      (const void *)kprobe_detour, call, &len);
    memcpy(call + CALL_INSN_SIZE, lea_rsp, sizeof(lea_rsp));
    return e ? e : text_poke(slot->text + KPROBE_DETOUR_AT, bytes, sizeof(bytes));
}

/* The instructions that five bytes cover: slot->original and its length. */
static enum poke_error take_region(struct kprobe_slot *slot)
{
    uint8_t bytes[KPROBE_REGION_MAX];
    struct insn_info info;
    size_t len = 0;

    if (!machine_is_patchable((uintptr_t)slot->addr, sizeof(bytes)))
        return POKE_E_OPCODE;
    kprobe_original(bytes, slot->addr, sizeof(bytes));
    for (; len < JMP32_INSN_SIZE; len += info.len)
        if (insn_look(bytes + len, sizeof(bytes) - len, &info) || info.kind != INSN_PLAIN)
            return POKE_E_OPCODE;
    if (kprobe_overlaps(slot->addr, len, slot) || kprobe_is_reserved(slot->addr, len) ||
        kprobe_is_target(slot->addr + 1, slot->addr + len))
        return POKE_E_OPCODE;
    memcpy(slot->original, bytes, len);
    slot->len = (uint8_t)len;
    return POKE_OK;
}

static enum poke_error make_detour(struct kprobe_slot *slot)
{
    uint8_t *copies = slot->text + KPROBE_COPIES_AT, len = slot->len;

    if (slot->resume == copies)
        return POKE_OK; /* since it was optimised before: cores may be executing it */

    enum poke_error e = take_region(slot);

    if (!e)
        e = kprobe_write_copies(slot, KPROBE_COPIES_AT);
    if (!e)
        e = write_detour(slot);
    if (e) {
        slot->len = len;
        return e;
    }
    store_release(&slot->resume, copies); /* pairs with the acquire in kprobe_int3_handler() */
    smp_text_poke_sync_each_cpu();
    return POKE_OK;
}

static void jump_of(const struct kprobe_slot *slot, uint8_t jump[static TEXT_POKE_MAX_OPCODE_SIZE])
{
    size_t len;

    text_gen_insn(JMP32_INSN_OPCODE, slot->addr, slot->text + KPROBE_DETOUR_AT, jump, &len);
}

static enum poke_error store_jump(struct kprobe_slot *slot)
{
    uint8_t jump[TEXT_POKE_MAX_OPCODE_SIZE];

    jump_of(slot, jump);
    return smp_text_poke_single(slot->addr, jump, JMP32_INSN_SIZE, NULL);
}

/* The old bytes behind an INT3. */
static enum poke_error store_trap(struct kprobe_slot *slot)
{
    uint8_t jump[TEXT_POKE_MAX_OPCODE_SIZE], trap[JMP32_INSN_SIZE];

    jump_of(slot, jump);
    memcpy(trap, slot->original, sizeof(trap));
    trap[0] = INT3_INSN_OPCODE;
    return smp_text_poke_single(slot->addr, trap, sizeof(trap), jump);
}

/* If the probe is in state `from`, step(), and it is in state `to`. Under text_mutex. */
static enum poke_error go(const struct kprobe *p, enum kprobe_state from, enum kprobe_state to,
                          enum poke_error (*step)(struct kprobe_slot *slot))
{
    struct kprobe_slot *slot = kprobe_slot_of(p);

    if (!slot || slot->state != from)
        return POKE_E_EXPECTED;

    enum poke_error e = step(slot);

    if (!e)
        slot->state = to;
    return e;
}

static enum poke_error begin_jump(const struct kprobe *p)
{
    text_mutex_lock();
    enum poke_error e = go(p, KPROBE_TRAP, KPROBE_BECOMES_JUMP, make_detour);
    text_mutex_unlock();
    return e;
}

static enum poke_error end_jump(const struct kprobe *p)
{
    text_mutex_lock();
    enum poke_error e = go(p, KPROBE_BECOMES_JUMP, KPROBE_JUMP, store_jump);
    if (e)
        kprobe_slot_of(p)->state = KPROBE_TRAP;
    text_mutex_unlock();
    return e;
}

enum poke_error optimize_kprobe(struct kprobe *p)
{
    if (text_mutex_held())
        return POKE_E_LOCK;

    enum poke_error e = begin_jump(p);

    if (e)
        return e;
    text_synchronise();
    return end_jump(p);
}

enum poke_error unoptimize_kprobe(struct kprobe *p)
{
    if (text_mutex_held())
        return POKE_E_LOCK;
    text_mutex_lock();
    enum poke_error e = go(p, KPROBE_JUMP, KPROBE_TRAP, store_trap);
    text_mutex_unlock();
    return e;
}

/* SPDX-License-Identifier: MIT */
/*
 * Shared words. Slots are written under text_mutex; `probe` also by whoever ends a slot's use. Who
 * meets a probe's INT3 reads them without.
 *
 * Arming. All of the slot, and its text, is written before `probe` (release) and that before the
 * INT3, which the core has fetched that takes the #BP: it finds the slot (acquire), and the IRET to
 * its text serialises. An INT3 needs no tail, so one store and one sync do; the sync is for the
 * caller, who counts on every execution from then on (Linux 5b8ad1c9bc44: it was left out until
 * 2019, and what came next relied on it).
 *
 * Disarming. After the sync no core meets the INT3, and none is in its handler: #BP runs with
 * interrupts off until its IRET, so no core acknowledges from within one (poke/int3_handler.c). A
 * core that was not asked was quiescent, and executes nothing that can be probed until it has
 * serialised. Then `addr` is cleared: the site may have another probe, in another slot. A thread
 * may still be in the slot's text, interrupted; once each has passed a quiescent point `probe` is
 * cleared (release), and who finds it so (acquire) may write all of the slot.
 */
#include "poke/users/kprobe_slot.h"

#include "kernel/lib/string.h"
#include "poke/emulate.h"
#include "poke/lock.h"
#include "poke/users/ftrace.h"
#include "poke/users/jump_label.h"
#include "poke/users/kprobe_function.h"
#include "poke/users/reclaim.h"
#include "poke/users/redirect.h"
#include "poke/users/static_call.h"

struct kprobe_slot kprobe_slots[KPROBES_MAX];

size_t kprobe_text_bytes(void)
{
    return sizeof(kprobe_slots) / sizeof(kprobe_slots[0]) * KPROBE_TEXT_BYTES;
}

void kprobe_init(uint8_t *text)
{
    for (unsigned i = 0; i < KPROBES_MAX; i++)
        kprobe_slots[i].text = text + i * KPROBE_TEXT_BYTES;
}

struct kprobe_slot *kprobe_slot_of(const struct kprobe *p)
{
    for (unsigned i = 0; i < KPROBES_MAX; i++)
        if (kprobe_slots[i].addr && load_relaxed(&kprobe_slots[i].probe) == p)
            return &kprobe_slots[i];
    return NULL;
}

static struct kprobe_slot *free_slot(void)
{
    for (unsigned i = 0; i < KPROBES_MAX; i++)
        if (kprobe_slots[i].text && !load_acquire(&kprobe_slots[i].probe)) /* unregister_kprobe() */
            return &kprobe_slots[i];
    return NULL;
}

bool kprobe_overlaps(const uint8_t *addr, size_t len, const struct kprobe_slot *but)
{
    for (const struct kprobe_slot *s = kprobe_slots; s < kprobe_slots + KPROBES_MAX; s++)
        if (s != but && s->addr && addr < s->addr + s->len && s->addr < addr + len)
            return true;
    return false;
}

bool kprobe_has_text(const void *addr, size_t len)
{
    return kprobe_overlaps(addr, len, NULL);
}

bool kprobe_covers(const void *target)
{
    const uint8_t *to = target;

    for (const struct kprobe_slot *s = kprobe_slots; s < kprobe_slots + KPROBES_MAX; s++)
        if (s->addr && to > s->addr && to < s->addr + s->len)
            return true;
    return false;
}

void kprobe_original(uint8_t *bytes, const uint8_t *addr, size_t len)
{
    memcpy(bytes, addr, len);
    for (const struct kprobe_slot *s = kprobe_slots; s < kprobe_slots + KPROBES_MAX; s++)
        for (unsigned i = 0; s->addr && i < s->len; i++)
            if (s->addr + i >= addr && s->addr + i < addr + len)
                bytes[s->addr + i - addr] = s->original[i];
}

/* ---- copies ---- */

enum poke_error kprobe_write_copies(const struct kprobe_slot *slot, unsigned at)
{
    uint8_t bytes[KPROBE_REGION_MAX + JMP32_INSN_SIZE];
    struct insn_info info = { .kind = INSN_PLAIN };
    size_t len = 0, jump;

    for (; len < slot->len; len += info.len) {
        if (insn_look(slot->original + len, slot->len - len, &info))
            return POKE_E_OPCODE;
        enum poke_error e = insn_copy(bytes + len, (uintptr_t)slot->text + at + len,
                                      slot->original + len, (uintptr_t)slot->addr + len, &info);
        if (e)
            return e;
    }
    if (text_gen_insn(JMP32_INSN_OPCODE, slot->text + at + len, slot->addr + len, bytes + len,
                      &jump))
        return POKE_E_DISPLACEMENT;
    return text_poke(slot->text + at, bytes, len + jump);
}

/* What is done instead of the instruction: it is emulated if it can be, else copied. */
static enum poke_error prepare(struct kprobe_slot *slot, const struct insn_info *info)
{
    slot->resume = NULL;
    if (!poke_insn_decode((uintptr_t)slot->addr, slot->original, slot->len, &slot->insn) &&
        slot->insn.kind != POKE_INSN_INT3)
        return POKE_OK;
    if (info->kind == INSN_RELATIVE || info->kind == INSN_REFUSED)
        return POKE_E_OPCODE;
    slot->resume = slot->text;
    return kprobe_write_copies(slot, 0);
}

/* ---- which instructions ---- */

bool kprobe_is_reserved(const uint8_t *addr, size_t len)
{
    uintptr_t start = (uintptr_t)addr;

    return jump_label_text_reserved(start, len) || static_call_text_reserved(start, len) ||
           redirect_text_reserved(start, len) || ftrace_text_reserved(start, len);
}

/* Behind the five bytes that the tracer has, if there are any and nothing else leads there. */
static enum poke_error skip_tracer(uint8_t **addr)
{
    if (!ftrace_is_function(*addr))
        return POKE_OK;
    *addr += CALL_INSN_SIZE;
    return kprobe_is_target(*addr, *addr + 1) ? POKE_E_OPCODE : POKE_OK;
}

/* In a copy or a detour, which is written again whenever the slot is used again? */
static bool is_slot_text(const uint8_t *addr)
{
    const uint8_t *text = kprobe_slots[0].text;

    return addr >= text && addr < text + kprobe_text_bytes();
}

static enum poke_error check_address(const uint8_t *addr, struct insn_info *info,
                                     uint8_t bytes[static INSN_MAX_SIZE])
{
    if (!machine_is_patchable((uintptr_t)addr, 1) || is_slot_text(addr))
        return POKE_E_ADDRESS;
    if (*addr == INT3_INSN_OPCODE)
        return POKE_E_EXPECTED;

    size_t len = INSN_MAX_SIZE;

    while (!machine_is_patchable((uintptr_t)addr, len))
        len--;
    kprobe_original(bytes, addr, len);
    if (insn_look(bytes, len, info))
        return POKE_E_OPCODE;
    if (!kprobe_is_instruction(addr) || kprobe_is_reserved(addr, info->len))
        return POKE_E_ADDRESS;
    return kprobe_has_text(addr, info->len) ? POKE_E_EXPECTED : POKE_OK;
}

/* ---- arming ---- */

static enum poke_error store_first_byte(const struct kprobe_slot *slot, uint8_t byte)
{
    enum poke_error e = text_poke(slot->addr, &byte, sizeof(byte));

    if (!e)
        smp_text_poke_sync_each_cpu();
    return e;
}

static enum poke_error fill_slot(struct kprobe_slot *slot, const struct kprobe *p)
{
    uint8_t *addr = p->addr;
    struct insn_info info;
    enum poke_error e = skip_tracer(&addr);

    if (!e)
        e = check_address(addr, &info, slot->original);
    if (e)
        return e;
    store_relaxed(&slot->addr, addr);
    slot->len = info.len;
    slot->state = KPROBE_TRAP;
    return prepare(slot, &info);
}

static enum poke_error arm(struct kprobe *p)
{
    struct kprobe_slot *slot = free_slot();
    enum poke_error e;

    if (kprobe_slot_of(p))
        return POKE_E_EXPECTED;
    if (!slot)
        return POKE_E_PENDING;
    e = fill_slot(slot, p);
    if (e) {
        store_relaxed(&slot->addr, NULL);
        return e;
    }
    p->addr = slot->addr;
    store_release(&slot->probe, p); /* pairs with the acquire in kprobe_int3_handler() */
    return store_first_byte(slot, INT3_INSN_OPCODE);
}

/* All bytes as they were; who meets the engine's INT3 meanwhile still goes the probe's way. */
static enum poke_error restore(const struct kprobe_slot *slot)
{
    uint8_t jump[JMP32_INSN_SIZE];

    if (slot->state == KPROBE_TRAP)
        return store_first_byte(slot, slot->original[0]);
    memcpy(jump, slot->addr, sizeof(jump));
    return smp_text_poke_single(slot->addr, slot->original, sizeof(jump), jump);
}

static enum poke_error disarm(const struct kprobe *p, struct kprobe_slot **slot)
{
    *slot = kprobe_slot_of(p);
    if (!*slot)
        return POKE_E_EXPECTED;
    if ((*slot)->state == KPROBE_BECOMES_JUMP)
        return POKE_E_PENDING;

    enum poke_error e = restore(*slot);

    if (!e)
        store_relaxed(&(*slot)->addr, NULL); /* nobody looks for it any more */
    return e;
}

enum poke_error register_kprobe(struct kprobe *p)
{
    enum poke_error e;

    if (text_mutex_held())
        return POKE_E_LOCK;
    text_mutex_lock();
    e = arm(p);
    text_mutex_unlock();
    return e;
}

enum poke_error unregister_kprobe(struct kprobe *p)
{
    struct kprobe_slot *slot;
    enum poke_error e;

    if (text_mutex_held())
        return POKE_E_LOCK;
    text_mutex_lock();
    e = disarm(p, &slot);
    text_mutex_unlock();
    if (!e && slot->resume)
        e = text_synchronise();
    if (!e)
        store_release(&slot->probe, NULL); /* pairs with the acquire in free_slot() */
    return e;
}

bool kprobe_int3_handler(struct kprobe_regs *regs)
{
    const uint8_t *addr = (const uint8_t *)regs->at.ip - INT3_INSN_SIZE;

    for (struct kprobe_slot *s = kprobe_slots; s < kprobe_slots + KPROBES_MAX; s++) {
        if (load_relaxed(&s->addr) != addr)
            continue;

        struct kprobe *p = load_acquire(&s->probe); /* pairs with the release in arm() */
        uint8_t *resume = load_acquire(&s->resume); /* and with make_detour()'s */

        if (!p)
            continue;
        p->pre_handler(p, regs);
        if (!resume)
            return poke_emulate(&regs->at, &s->insn);
        int3_emulate_jmp(&regs->at, (uintptr_t)resume);
        return true;
    }
    return false;
}

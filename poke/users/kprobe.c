/* SPDX-License-Identifier: MIT */
/*
 * Shared words: a slot points at a probe. It is written under text_mutex: set (release) before the
 * INT3 is stored, cleared after the sync that follows the old byte's store. A handler acquires it.
 *
 * Arming. The probe and its slot are written before the INT3, which the core has fetched that takes
 * the #BP: it finds both. An INT3 needs no tail, so one store and one sync do; the sync is for the
 * caller, who counts on every execution from then on (Linux 5b8ad1c9bc44: it was left out until
 * 2019, and what came next relied on it).
 *
 * Disarming. After the sync no core meets the INT3, and none is in its handler: #BP runs with
 * interrupts off until its IRET, so no core acknowledges from within one (poke/int3_handler.c). A
 * core that was not asked was quiescent, and executes nothing that can be probed until it has
 * serialised.
 */
#include "poke/users/kprobe.h"

#include "poke/emulate.h"
#include "poke/lock.h"

static struct kprobe *slots[KPROBES_MAX];

static struct kprobe **slot_of(const struct kprobe *p)
{
    for (unsigned i = 0; i < KPROBES_MAX; i++)
        if (load_relaxed(&slots[i]) == p)
            return &slots[i];
    return NULL;
}

static enum poke_error store_first_byte(struct kprobe *p, uint8_t byte)
{
    enum poke_error e = text_poke(p->addr, &byte, sizeof(byte));

    if (!e)
        smp_text_poke_sync_each_cpu();
    return e;
}

static enum poke_error arm(struct kprobe *p)
{
    struct kprobe **slot = slot_of(NULL);
    enum poke_error e;

    if (!machine_is_patchable((uintptr_t)p->addr, p->len))
        return POKE_E_ADDRESS;
    p->first_byte = *p->addr;
    if (p->first_byte == INT3_INSN_OPCODE)
        return POKE_E_EXPECTED;
    e = poke_insn_decode((uintptr_t)p->addr, p->addr, p->len, &p->insn);
    if (e)
        return e;
    if (!slot)
        return POKE_E_PENDING;
    store_release(slot, p); /* pairs with the acquire in kprobe_int3_handler() */
    e = store_first_byte(p, INT3_INSN_OPCODE);
    if (e)
        store_relaxed(slot, NULL);
    return e;
}

static enum poke_error disarm(struct kprobe *p)
{
    struct kprobe **slot = slot_of(p);
    enum poke_error e;

    if (!slot)
        return POKE_E_EXPECTED;
    e = store_first_byte(p, p->first_byte);
    if (!e)
        store_relaxed(slot, NULL); /* nobody looks for it any more */
    return e;
}

static enum poke_error locked(enum poke_error (*fn)(struct kprobe *p), struct kprobe *p)
{
    enum poke_error e;

    if (text_mutex_held())
        return POKE_E_LOCK;
    text_mutex_lock();
    e = fn(p);
    text_mutex_unlock();
    return e;
}

enum poke_error register_kprobe(struct kprobe *p)
{
    return locked(arm, p);
}

enum poke_error unregister_kprobe(struct kprobe *p)
{
    return locked(disarm, p);
}

bool kprobe_int3_handler(struct poke_regs *regs)
{
    const uint8_t *addr = (const uint8_t *)regs->ip - INT3_INSN_SIZE;

    for (unsigned i = 0; i < KPROBES_MAX; i++) {
        struct kprobe *p = load_acquire(&slots[i]); /* pairs with the release in arm() */

        if (!p || p->addr != addr)
            continue;
        p->pre_handler(p, regs);
        return poke_emulate(regs, &p->insn);
    }
    return false;
}

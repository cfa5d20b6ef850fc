/* SPDX-License-Identifier: MIT */
#include "poke/users/static_call.h"

#include "kernel/lib/string.h"
#include "poke/lock.h"

/* Made by tools/static_calls.py, sorted by key and address. */
extern const struct static_call_site static_call_sites[];
extern const uint32_t static_call_sites_count;

#define DISPLACEMENT 4 /* bytes */
#define JCC32_SIZE   6

long __static_call_return0(void)
{
    return 0;
}

/* 2E 2E 2E 31 C0: XOR EAX, EAX in the five bytes of a CALL. It clears RAX, and flags. */
static const uint8_t xor_eax[CALL_INSN_SIZE] = { 0x2e, 0x2e, 0x2e, 0x31, 0xc0 };
/* In the slot of a JMP. */
static const uint8_t padded_ret[JMP32_INSN_SIZE] = { RET_INSN_OPCODE, 0xcc, 0xcc, 0xcc, 0xcc };

enum slot_kind { SLOT_CALL, SLOT_JMP, SLOT_JCC };

/* Where a call is made. */
struct slot {
    uint8_t *addr;
    uint8_t kind, len;
    uint8_t cc;
};

/* What a slot holds, and as what it is emulated meanwhile. */
struct image {
    uint8_t text[TEXT_POKE_MAX_OPCODE_SIZE];
    uint8_t emulate[TEXT_POKE_MAX_OPCODE_SIZE];
};

static enum poke_error image_of(const struct slot *slot, const void *func, struct image *image)
{
    enum poke_error e;
    size_t len;

    switch ((enum slot_kind)slot->kind) {
    case SLOT_CALL:
        if (!func) {
            memcpy(image->text, poke_nop5, sizeof(poke_nop5));
            memcpy(image->emulate, poke_nop5, sizeof(poke_nop5));
            return POKE_OK;
        }
        e = text_gen_insn(CALL_INSN_OPCODE, slot->addr, func, image->emulate, &len);
        memcpy(image->text, func == __static_call_return0 ? xor_eax : image->emulate,
               sizeof(xor_eax));
        return e;
    case SLOT_JMP:
        memcpy(image->text, padded_ret, sizeof(padded_ret));
        e = func ? text_gen_insn(JMP32_INSN_OPCODE, slot->addr, func, image->text, &len) : POKE_OK;
        memcpy(image->emulate, image->text, sizeof(padded_ret));
        return e;
    case SLOT_JCC: /* never to nothing: to a function that is nothing */
        e = text_gen_jcc(slot->cc, JCC32_SIZE, slot->addr, func ? func : __static_call_return0,
                         image->text);
        memcpy(image->emulate, image->text, sizeof(image->text));
        return e;
    }
    return POKE_E_OPCODE;
}

/* The slot that a site is, from its text, which a call has never left as something else. */
static bool slot_of(const struct static_call_site *site, struct slot *slot)
{
    const uint8_t *disp = (const uint8_t *)site->disp;

    *slot = (struct slot){ .addr = (uint8_t *)site->disp - 1, .len = CALL_INSN_SIZE };
    switch (disp[-1]) {
    case CALL_INSN_OPCODE:
        return true;
    case JMP32_INSN_OPCODE:
        slot->kind = SLOT_JMP;
        return true;
    case 0x80 ... 0x8F:
        *slot = (struct slot){ .addr = (uint8_t *)site->disp - 2,
                               .kind = SLOT_JCC,
                               .len = JCC32_SIZE,
                               .cc = disp[-1] & 0x0F };
        return disp[-2] == 0x0F;
    }
    return false;
}

/* What the sites are: their text does not say it any more once it is patched. */
static struct slot slots[STATIC_CALL_SITES_MAX];

static const struct slot *slots_of(const struct static_call_key *key)
{
    return &slots[key->sites - static_call_sites];
}

static struct slot trampoline_of(const struct static_call_key *key)
{
    return (struct slot){ .addr = key->trampoline, .kind = SLOT_JMP, .len = JMP32_INSN_SIZE };
}

enum poke_error static_call_init(void)
{
    enum poke_error e = POKE_OK;

    if (static_call_sites_count > STATIC_CALL_SITES_MAX)
        return POKE_E_LENGTH;
    for (uint32_t i = 0; i < static_call_sites_count && !e; i++) {
        const struct static_call_site *site = &static_call_sites[i];
        struct image image;

        if (!site->key->count++)
            site->key->sites = site;
        if (!slot_of(site, &slots[i]))
            return POKE_E_OPCODE;
        e = image_of(&slots[i], site->key->func, &image);
        if (!e)
            e = text_poke_early(slots[i].addr, image.text, slots[i].len);
    }
    return e;
}

/* Does the slot hold what `old` left there, and is there an image of `func`? */
static enum poke_error check(const struct slot *slot, const void *old, const void *func)
{
    struct image image;
    enum poke_error e = image_of(slot, old, &image);

    if (e || memcmp(slot->addr, image.text, slot->len))
        return POKE_E_EXPECTED;
    return image_of(slot, func, &image);
}

static enum poke_error add(const struct slot *slot, const void *func)
{
    struct image image;

    image_of(slot, func, &image);
    return smp_text_poke_batch_add(slot->addr, image.text, slot->len, image.emulate, NULL);
}

/* Sites lie before all trampolines (linker.ld): so they come in order. Under text_mutex. */
static enum poke_error patch(const struct static_call_key *key, const void *func)
{
    struct slot trampoline = trampoline_of(key);
    const struct slot *site = slots_of(key);
    enum poke_error e = check(&trampoline, key->func, func);

    for (uint32_t i = 0; i < key->count && !e; i++)
        e = check(&site[i], key->func, func);
    if (e)
        return e;
    for (uint32_t i = 0; i < key->count && !e; i++)
        e = add(&site[i], func);
    if (!e)
        e = add(&trampoline, func);
    return e ? e : smp_text_poke_batch_finish();
}

enum poke_error static_call_set(struct static_call_key *key, void *func)
{
    enum poke_error e = POKE_OK;

    if (text_mutex_held())
        return POKE_E_LOCK;
    text_mutex_lock();
    if (key->func != func)
        e = patch(key, func);
    if (!e)
        store_release(&key->func, func);
    text_mutex_unlock();
    return e;
}

bool static_call_text_reserved(uintptr_t start, size_t len)
{
    extern const uint8_t static_call_text_start[], static_call_text_end[]; /* all trampolines */

    if (start < (uintptr_t)static_call_text_end && start + len > (uintptr_t)static_call_text_start)
        return true;
    for (uint32_t i = 0; i < static_call_sites_count; i++) {
        uintptr_t addr = (uintptr_t)slots[i].addr;

        if (addr < start + len && start < addr + slots[i].len)
            return true;
    }
    return false;
}

/* SPDX-License-Identifier: MIT */
#include "poke/users/text_switch.h"

#include "kernel/lib/string.h"
#include "poke/lock.h"
#include "poke/users/kprobe.h"

#define SITE_SIZE 5 /* bytes, of any target */

static enum poke_error image_of(const void *site, struct text_target target,
                                uint8_t image[static TEXT_POKE_MAX_OPCODE_SIZE])
{
    size_t len;

    switch (target.opcode) {
    case 0:
        memcpy(image, poke_nop5, sizeof poke_nop5);
        return POKE_OK;
    case CALL_INSN_OPCODE:
    case JMP32_INSN_OPCODE:
        return text_gen_insn(target.opcode, site, target.to, image, &len);
    }
    return POKE_E_OPCODE;
}

/* Are copies executed instead of the site, or is there no instruction at the target any more? */
static bool belongs_to_probe(const void *site, struct text_target to)
{
    return kprobe_has_text(site, SITE_SIZE) || (to.opcode && kprobe_covers(to.to));
}

/* Under text_mutex: what the site holds stays as it was compared. */
static enum poke_error replace(void *site, const uint8_t *from, const uint8_t *to, bool *switched)
{
    if (memcmp(site, from, SITE_SIZE))
        return POKE_E_EXPECTED;
    if (!memcmp(from, to, SITE_SIZE))
        return POKE_OK;
    enum poke_error e = smp_text_poke_single(site, to, SITE_SIZE, NULL);

    *switched = !e;
    return e;
}

enum poke_error text_switch(void *site, struct text_target from, struct text_target to,
                            bool *switched)
{
    uint8_t old[TEXT_POKE_MAX_OPCODE_SIZE], new[TEXT_POKE_MAX_OPCODE_SIZE];
    bool is_switched = false;
    enum poke_error e = POKE_OK;

    if (text_mutex_held())
        e = POKE_E_LOCK;
    else if (!machine_is_patchable((uintptr_t)site, SITE_SIZE))
        e = POKE_E_ADDRESS; /* it need not even be mapped */
    if (!e)
        e = image_of(site, from, old);
    if (!e)
        e = image_of(site, to, new);
    if (!e) {
        text_mutex_lock();
        e = belongs_to_probe(site, to) ? POKE_E_EXPECTED : replace(site, old, new, &is_switched);
        text_mutex_unlock();
    }
    if (switched)
        *switched = is_switched;
    return e;
}

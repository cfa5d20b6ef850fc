/* SPDX-License-Identifier: MIT */
/* Broken on purpose: a site is switched by plain stores, byte after byte, with no breakpoint. */
#include "poke/poke.h"

static enum poke_error bare_single(void *addr, const void *opcode, size_t len)
{
    static const struct poke_protocol bare = {
        .name = "bare",
        .promise = "none: a call to a mixture of two targets",
        .source = "planted",
        .steps = { POKE_STEP_BYTES, POKE_STEP_SYNC, POKE_STEP_END },
    };
    enum poke_error e = poke_select_protocol(&bare);

    if (!e)
        e = smp_text_poke_single(addr, opcode, len, NULL);
    poke_select_protocol(NULL);
    return e;
}

#define smp_text_poke_single(addr, opcode, len, emulate) bare_single(addr, opcode, len)

#include "poke/users/text_switch.c"

/* SPDX-License-Identifier: MIT */
#include "poke/users/kprobe.h"
#include "poke/users/reclaim.h"

static bool has_probe(const void *text, size_t len)
{
    text_mutex_lock();
    bool has = kprobe_has_text(text, len);
    text_mutex_unlock();
    return has;
}

enum poke_error text_free(void *text, size_t len)
{
    enum poke_error e = text_synchronise();

    if (!e && has_probe(text, len))
        e = POKE_E_EXPECTED;
    return e ? e : text_poke_set(text, INT3_INSN_OPCODE, len);
}

/* SPDX-License-Identifier: MIT */
#include "poke/lock.h"
#include "poke/poke.h"
#include "poke/protocol.h"

/*
 * The holding core + 1, or 0. Any core writes it, by the exchange in lock and the release in
 * unlock; the acquire half of the exchange pairs with that release.
 */
static uint32_t holder;

bool text_mutex_held(void)
{
    /* Only this core can store this core's number: no order is needed to read it. */
    return load_relaxed(&holder) == machine_this_core() + 1;
}

void text_mutex_lock(void)
{
    uint32_t me = machine_this_core() + 1;
    uint32_t nobody = 0;

    if (compare_exchange(&holder, &nobody, me))
        return;

    machine_phase("text_poke: waiting for text_mutex");
    do {
        /* Wait on a shared copy of the line; the exchange would take it from the holder. */
        while (load_relaxed(&holder))
            machine_relax();
        nobody = 0;
    } while (!compare_exchange(&holder, &nobody, me));
    machine_phase(NULL);
}

void text_mutex_unlock(void)
{
    if (!text_mutex_held())
        return;
    poke_settle_batch();
    store_release(&holder, 0);
}

/* SPDX-License-Identifier: MIT */
/*
 * Shared words: each core's quiescent_points, written by its thread (releases), acquired by who
 * waits.
 *
 * A count that has changed since the patch ended was stored behind the core's last entry into the
 * old text. A core that was away in the patch's last sync serialises before it goes on, and enters
 * the new text only. One that was asked has stored its acknowledgement behind all counts from
 * before: the patch's end, and so the first look here, has seen those.
 */
#include "poke/users/reclaim.h"

#include "poke/lock.h"

void text_quiescent_point(void)
{
    uint64_t *points = &machine_this_poke_core()->quiescent_points;

    store_release(points, *points + 1); /* pairs with the acquires in wait_for() */
}

static void wait_for(unsigned core)
{
    uint64_t *points = &machine_poke_core(core)->quiescent_points;
    uint64_t before = load_acquire(points); /* pairs with text_quiescent_point() */

    /* As there: what the core did in the old text is done. */
    while (load_acquire(points) == before && !machine_core_away(core)) {
        text_quiescent_point(); /* it may wait for this one */
        machine_relax();
    }
}

enum poke_error text_synchronise(void)
{
    if (text_mutex_held())
        return POKE_E_LOCK;
    machine_phase("text_synchronise: waiting for a quiescent point");
    for (unsigned core = 0; core < machine_cores(); core++)
        if (core != machine_this_core())
            wait_for(core);
    machine_phase(NULL);
    return POKE_OK;
}

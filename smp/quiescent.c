/* SPDX-License-Identifier: MIT */
/*
 * A core that waits in HLT executes nothing that can be patched, so no core sync interrupts it. It
 * serialises on its way out instead, as the first thing of whatever ends the wait.
 *
 * Shared word `quiescence`, this core's own, read by the sender of a sync (must_ask() in ipi.c):
 *
 *   CORE_HERE -> CORE_QUIESCENT   in thread context, interrupts off: poke_log_offline(), then the
 *                                 word (release). No handler lies below, so none holds a reference
 *                                 to the engine's table.
 *   CORE_QUIESCENT -> CORE_LEAVING  by compare-exchange, first of all in any trap taken here, or
 *                                 behind HLT if none was: SMM may end it (SDM vol 3C, "Auto HALT
 *                                 Restart").
 *   CORE_LEAVING -> CORE_HERE     after poke_log_online() and a serialising instruction.
 *
 * local.quiescent is set from before the first of these to after the last. It is this core's alone,
 * in the line that each trap uses anyway, and sends traps here.
 *
 * Nothing is missed. The sender makes its stores, then a full barrier, then looks at the word. If
 * it finds CORE_QUIESCENT, its look comes before the compare-exchange in the order of the word, so
 * its stores are visible to all that follows the compare-exchange: the core serialises there,
 * behind the stores, and then fetches the new code. If it finds anything else it asks the core
 * and waits: the core answers when it has left, with interrupts on again. Finding CORE_QUIESCENT by
 * acquire, it also sees all that the core logged and counted before (the pair is the release).
 *
 * An NMI may come between any two instructions here. Before the compare-exchange the NMI is the one
 * that leaves; the compare-exchange of the interrupted context then fails, and there is nothing
 * left to do. After it the NMI finds CORE_LEAVING: the core is asked already, by an order that the
 * NMI inherits, but it may not have serialised, so the NMI does that for itself and changes
 * nothing. Hence three states: with two, it would take the core for one that has. Between
 * poke_log_offline() and the word the NMI runs on a core that is still asked. One that comes after
 * the word and before HLT leaves, and the core does not halt (idle.c).
 *
 * Nothing from a trap's entry to here may be patchable: the entry, trap_dispatch(), this file,
 * idle.c, sync_core_in_nmi(), poke_log_offline() and poke_log_online(), and what these call
 * (machine.c, percpu.c). They are in the fixed text (linker.ld), the link checks what they call,
 * and poke/i25_ways_in_are_not_patchable steps through them. A hook, a cross-call's function and
 * work come behind it, and may be patchable.
 */
#include "smp/internal.h"
#include "smp/smp.h"

#include "kernel/lib/atomic.h"

void quiescent_enter(void)
{
    struct percpu *self = this_cpu();

    if (load_relaxed(&self->quiescence) == CORE_QUIESCENT)
        return;
    store_relaxed(&self->local.quiescent, 1);
    poke_log_offline();
    store_release(&self->quiescence, CORE_QUIESCENT); /* pairs with the acquire in must_ask() */
}

void quiescent_leave(void)
{
    struct percpu *self = this_cpu();
    uint32_t found = CORE_QUIESCENT;

    /* Full barrier: asked, then serialise. Pairs with the one in smp_sync_cores(). */
    if (compare_exchange(&self->quiescence, &found, CORE_LEAVING)) {
        poke_log_online();
        sync_core_in_nmi();
        store_release(&self->quiescence, CORE_HERE); /* the rest is for this core's own contexts */
        store_release(&self->local.quiescent, 0);
    } else if (found == CORE_LEAVING) {
        sync_core_in_nmi(); /* in an NMI that came between the two */
    }
}

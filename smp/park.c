/* SPDX-License-Identifier: MIT */
/*
 * A core leaves the online set and comes back, at any time, in the middle of a batch too. Linux
 * does the same with CPU hotplug. The order is the one that poke/machine.h asks for at
 * machine_core_online(); its pair is in smp_sync_cores().
 *
 * Shared words: `state` is this core's, but from CPU_PARKED it goes to CPU_UNPARKED by the
 * compare-exchange of whoever wakes it. From there on syncs ask this core; it acquires the new
 * state, and serialises.
 *
 * While it is parked the core takes interrupts in HLT: the wake-up, and a core sync that had asked
 * it before it left. Their handlers contain nothing patchable. Hooks do, so they do not run from
 * poke_log_offline() until the core has serialised: an NMI may come between any two instructions here.
 */
#include "smp/internal.h"
#include "smp/smp.h"

#include "kernel/cpu/regs.h"
#include "kernel/lib/atomic.h"
#include "smp/watchdog.h"

void run_hook(struct percpu *self, void (**hook)(void))
{
    void (*fn)(void) = load_acquire(hook); /* pairs with the release of its writer */
    uint32_t state = load_relaxed(&self->state);
    bool leaving = load_relaxed(&self->poke.away_from) != 0;

    if (fn && !leaving && state != CPU_PARKED && state != CPU_UNPARKED)
        fn();
}

void smp_park(void)
{
    struct percpu *self = this_cpu();
    uint32_t state = self->state;

    smp_timer_start(0);
    irq_disable();
    poke_log_offline();
    store_release(&self->state, CPU_PARKED);
    while (load_acquire(&self->state) == CPU_PARKED) /* pairs with smp_unpark() */
        idle_wait();
    poke_log_online();
    tlb_flush_this_core(NULL); /* the flushes that were not sent here */
    sync_core();
    store_release(&self->state, state);
    irq_enable();
    watchdog_start_core();
}

bool smp_unpark(unsigned core)
{
    uint32_t parked = CPU_PARKED;

    /* Full barrier: online, then serialise; pairs with the one in smp_sync_cores(). */
    if (!compare_exchange(&percpu(core)->state, &parked, CPU_UNPARKED))
        return false;
    smp_send_ipi(core, VECTOR_WAKE);
    return true;
}

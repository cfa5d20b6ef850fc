/* SPDX-License-Identifier: MIT */
/*
 * A core leaves the online set and comes back, at any time, in the middle of a batch too. Linux
 * does the same with CPU hotplug. While it is away it is quiescent, and what that means for core
 * syncs is argued in quiescent.c: an interrupt that it takes meanwhile (the wake-up, a sync that
 * had asked it before, an NMI) makes it a core that syncs ask, although it is not online, until it
 * waits again.
 *
 * Shared words: `state` is this core's, but from CPU_PARKED it goes to CPU_UNPARKED by the
 * compare-exchange of whoever wakes it. From there on cross-calls reach it. Translations that were
 * flushed while it was away are dropped before any hook or thread of this core runs.
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

    if (fn && state != CPU_PARKED && state != CPU_UNPARKED)
        fn();
}

void smp_park(void)
{
    struct percpu *self = this_cpu();
    uint32_t state = self->state;

    smp_timer_start(0);
    irq_disable();
    quiescent_enter(); /* before it is seen to be parked */
    store_release(&self->state, CPU_PARKED);
    while (load_acquire(&self->state) == CPU_PARKED) /* pairs with smp_unpark() */
        idle_wait();
    quiescent_leave();
    tlb_flush_this_core(NULL); /* the flushes that were not sent here */
    store_release(&self->state, state);
    irq_enable();
    watchdog_start_core();
}

bool smp_unpark(unsigned core)
{
    uint32_t parked = CPU_PARKED;

    if (!compare_exchange(&percpu(core)->state, &parked, CPU_UNPARKED))
        return false;
    smp_send_ipi(core, VECTOR_WAKE);
    return true;
}

/* SPDX-License-Identifier: MIT */
/* The timer interrupt: this core's heartbeat, the watchdog's chance to look, and a test's hook. */
#include "smp/internal.h"
#include "smp/smp.h"

#include "kernel/lib/atomic.h"
#include "kernel/time/time.h"
#include "smp/apic.h"
#include "smp/watchdog.h"

bool timer_handler(struct trap_frame *frame)
{
    struct percpu *self = this_cpu();

    apic_eoi(); /* first: a hook that faults into trap_try() must not block the next interrupts */
    store_relaxed(&self->heartbeat, self->heartbeat + 1);
    store_relaxed(&self->heartbeat_time, rdtsc());
    watchdog_tick(frame);

    run_hook(self, &self->timer_hook);
    return true;
}

void smp_timer_start(unsigned us)
{
    apic_timer_start(us, VECTOR_TIMER);
    store_relaxed(&this_cpu()->heartbeat_time, us ? rdtsc() : 0);
}

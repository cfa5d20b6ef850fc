/* SPDX-License-Identifier: MIT */
/*
 * Give the machine back. Parked cores come back first; then all other cores end in CLI, HLT on
 * their own stacks, in our memory and on our tables: there the firmware's SMM finds them, and its
 * own next INIT, or ours in the next slice, takes them. A core that does not stop gets an INIT, so
 * that it cannot run on in memory that will be written again.
 */
#include "smp/internal.h"
#include "smp/smp.h"

#include "kernel/console/console.h"
#include "kernel/cpu/regs.h"
#include "kernel/lib/atomic.h"
#include "kernel/mm/mm.h"
#include "kernel/lib/fixed_text.h"
#include "kernel/time/time.h"
#include "smp/apic.h"

#define STOP_LIMIT_NS 1000000000ull

/* Interrupt context of the core that stops, and is asked no more; does not return. */
FIXED_TEXT static void stop(void *unused)
{
    (void)unused;
    smp_timer_start(0);
    mm_restore_memory_types();                      /* INIT does not reset the PAT */
    store_release(&this_cpu()->state, CPU_STOPPED); /* pairs with the acquire in smp_shutdown() */
    halt_for_ever();
}

void smp_shutdown(void)
{
    uint64_t limit = time_ns_to_ticks(STOP_LIMIT_NS), start;

    for (unsigned i = 1; i < smp_possible(); i++)
        smp_unpark(i); /* it is online at once, and can be called */
    if (smp_online() > 1)
        call_others_nowait(stop, NULL);
    start = rdtsc();
    while (smp_online() > 1 && rdtsc() - start < limit)
        cpu_relax();
    for (unsigned i = 1; i < smp_possible(); i++) {
        if (!smp_is_online(i))
            continue;
        apic_send(percpu(i)->apic_id, APIC_INIT);
        store_release(&percpu(i)->state, CPU_FAILED);
        con_printf("# core %u (APIC id %u) did not stop: reset by INIT\n", i, percpu(i)->apic_id);
    }

    irq_disable();
    apic_restore();
}

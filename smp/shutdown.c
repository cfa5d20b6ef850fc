/* SPDX-License-Identifier: MIT */
/*
 * Give the machine back. The other cores end in CLI, HLT on their own stacks, in our memory and
 * on our tables: there the firmware's SMM finds them, and its own next INIT takes them. A core that
 * does not park gets an INIT, so that it cannot run on in memory that will be written again.
 */
#include "smp/internal.h"
#include "smp/smp.h"

#include "kernel/console/console.h"
#include "kernel/cpu/regs.h"
#include "kernel/lib/atomic.h"
#include "kernel/time/time.h"
#include "smp/apic.h"

#define PARK_LIMIT_NS 1000000000ull

/* Interrupt context of the core that parks; does not return. */
static void park(void *unused)
{
    (void)unused;
    smp_timer_start(0);
    store_release(&this_cpu()->state, CPU_PARKED); /* pairs with the acquire in smp_shutdown() */
    halt_for_ever();
}

void smp_shutdown(void)
{
    uint64_t limit = time_ns_to_ticks(PARK_LIMIT_NS), start;

    if (smp_online() > 1)
        call_others_nowait(park, NULL);
    start = rdtsc();
    while (smp_online() > 1 && rdtsc() - start < limit)
        cpu_relax();
    for (unsigned i = 1; i < smp_possible(); i++) {
        if (!smp_is_online(i))
            continue;
        apic_send(percpu(i)->apic_id, APIC_INIT);
        store_release(&percpu(i)->state, CPU_FAILED);
        con_printf("# core %u (APIC id %u) did not park: reset by INIT\n", i, percpu(i)->apic_id);
    }
    ipi_choose_broadcast();

    irq_disable();
    apic_restore();
}

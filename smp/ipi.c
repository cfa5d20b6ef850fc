/* SPDX-License-Identifier: MIT */
/*
 * Interrupts between cores, and how many were sent.
 *
 * The broadcast shorthand reaches every core of the machine, not every core of ours. A core that
 * was never started (word cpus=) still is the firmware's, in its HLT or MWAIT loop: a fixed
 * interrupt would stay pending in its APIC, on a vector that the firmware does not know. A core
 * that failed to start is in a state that nobody knows. So the shorthand serves only while every
 * usable processor of the MADT is online; processors that the firmware disabled wait for a start-up
 * IPI and take nothing else. NMIs, which nothing holds back, never go by shorthand.
 *
 * Shared words: `broadcast` is written by the boot core when the online set changes, between
 * rounds, and read by every sender. The counters are added to with locked instructions by any core.
 */
#include "smp/internal.h"
#include "smp/smp.h"

#include "kernel/lib/atomic.h"
#include "smp/apic.h"

static bool broadcast;
static struct smp_ipi_counts sent;

void ipi_choose_broadcast(void)
{
    store_relaxed(&broadcast, smp_online() == smp_topology()->listed);
}

void ipi_send_others(unsigned vector)
{
    unsigned self = cpu_index();

    if (load_relaxed(&broadcast)) {
        apic_send_others(APIC_FIXED | vector);
        return;
    }
    for_each_online_cpu (i) {
        if ((unsigned)i != self)
            apic_send(percpu(i)->apic_id, APIC_FIXED | vector);
    }
}

void smp_send_ipi(unsigned core, unsigned vector)
{
    if (vector == VECTOR_WAKE)
        fetch_add(&sent.wakes, 1);
    apic_send(percpu(core)->apic_id, APIC_FIXED | vector);
}

void smp_send_nmi(unsigned core)
{
    fetch_add(&sent.nmis, 1);
    apic_send(percpu(core)->apic_id, APIC_NMI);
}

void ipi_count_sync(void)
{
    fetch_add(&sent.sync_broadcasts, 1);
}

void ipi_count_calls(unsigned n)
{
    fetch_add(&sent.calls, n);
}

struct smp_ipi_counts smp_ipi_counts(void)
{
    struct smp_ipi_counts counts = {
        .sync_broadcasts = load_relaxed(&sent.sync_broadcasts),
        .calls = load_relaxed(&sent.calls),
        .wakes = load_relaxed(&sent.wakes),
        .nmis = load_relaxed(&sent.nmis),
    };

    for (unsigned i = 0; i < smp_possible(); i++)
        counts.sync_acks += load_relaxed(&percpu(i)->sync_count);
    return counts;
}

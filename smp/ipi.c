/* SPDX-License-Identifier: MIT */
/*
 * Interrupts between cores, and how many were sent.
 *
 * The broadcast shorthand reaches every core of the machine, not every core of ours. A core that
 * was never started (word cpus=) still is the firmware's, in its HLT or MWAIT loop: a fixed
 * interrupt would stay pending in its APIC, on a vector that the firmware does not know. A core
 * that failed to start is in a state that nobody knows. So the shorthand serves only while every
 * usable processor of the MADT is asked; processors that the firmware disabled wait for a start-up
 * IPI and take nothing else. If one core is not asked, the others are interrupted one by one, and
 * it is left in its HLT. NMIs, which nothing holds back, never go by shorthand.
 *
 * The set of cores that are asked can change while a sender looks at it (park.c, quiescent.c). So a
 * sender notes whom it asks, and waits for those.
 *
 * Shared words: `asked` of each core is written and read by senders only, of which there is one at
 * a time for each kind. The counters are added to with locked instructions by any core.
 */
#include "smp/internal.h"
#include "smp/smp.h"

#include "kernel/lib/atomic.h"
#include "smp/apic.h"

static struct smp_ipi_counts sent;

void ipi_count_sync(void)
{
    fetch_add(&sent.sync_broadcasts, 1);
}

static bool must_ask(unsigned core, enum ipi_question kind)
{
    if (kind == IPI_CALL)
        return smp_is_online(core);
    /* Pairs with the release in quiescent_enter(); the order is argued there. */
    return percpu_is_running(core) && load_acquire(&percpu(core)->quiescence) != CORE_QUIESCENT;
}

unsigned ipi_choose_others(enum ipi_question kind, uint64_t number)
{
    unsigned self = cpu_index(), asked = 0;

    for (unsigned i = 0; i < smp_possible(); i++) {
        if (i == self || !must_ask(i, kind))
            continue;
        store_relaxed(&percpu(i)->asked[kind], number); /* the watchdog reads it */
        asked++;
    }
    return asked;
}

void ipi_ask_others(enum ipi_question kind, uint64_t number, unsigned asked)
{
    static const uint8_t vectors[IPI_QUESTIONS] = {
        [IPI_SYNC] = VECTOR_SYNC, [IPI_CALL] = VECTOR_CALL
    };
    unsigned command = APIC_FIXED | vectors[kind];

    if (kind == IPI_CALL)
        fetch_add(&sent.calls, asked);
    else
        ipi_count_sync();

    if (asked == 0)
        return;
    if (asked + 1 == smp_topology()->listed) {
        apic_send_others(command);
        return;
    }
    for (unsigned i = 0; i < smp_possible(); i++) {
        if (ipi_was_asked(i, kind, number))
            apic_send(percpu(i)->apic_id, command);
    }
}

bool ipi_was_asked(unsigned core, enum ipi_question kind, uint64_t number)
{
    return core != cpu_index() && percpu(core)->asked[kind] == number;
}

void smp_send_ipi(unsigned core, unsigned vector)
{
    if (vector == VECTOR_WAKE)
        fetch_add(&sent.wakes, 1);
    else if (vector == VECTOR_CALL)
        fetch_add(&sent.calls, 1);
    apic_send(percpu(core)->apic_id, APIC_FIXED | vector);
}

void smp_send_nmi(unsigned core)
{
    fetch_add(&sent.nmis, 1);
    fetch_add(&percpu(core)->nmi_sent, 1); /* pairs with the acquire in nmi_handler() */
    apic_send(percpu(core)->apic_id, APIC_NMI);
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

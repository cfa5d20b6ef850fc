/* SPDX-License-Identifier: MIT */
/*
 * The machine's end: one core, in panic() or in the watchdog, stops all others by NMI, so that it
 * alone prints. Each leaves a record of what it was doing.
 *
 * Shared words: `owner` is claimed once by compare-exchange and read by the NMI handlers of all
 * cores. Two cores that find a reason to end at the same time would stop each other before either
 * has printed; the claim lets one of them win. A record is written by its core, then `stopped`
 * (release); the owner acquires `stopped` before it reads the rest.
 */
#include "smp/internal.h"
#include "smp/smp.h"

#include "kernel/cpu/regs.h"
#include "kernel/lib/atomic.h"
#include "kernel/time/time.h"

#define ANSWER_LIMIT_NS 1000000000ull

static uint32_t owner; /* index + 1 of the core that ends the machine; 0: it lives */

void halt_for_ever(void)
{
    for (;;)
        __asm__ volatile("cli; hlt");
}

void stop_record_fill(struct stop_record *record, const struct trap_frame *frame)
{
    record->interrupts_on = (frame->rflags & RFLAGS_IF) != 0;
    record->frames = backtrace_collect(frame->rip, frame->rbp, record->trace);
    store_release(&record->stopped, 1); /* pairs with the acquire in stop_other_cores() */
}

void stop_if_asked(const struct trap_frame *frame)
{
    struct percpu *self = this_cpu();
    uint32_t who = load_acquire(&owner);

    if (who == 0 || who == self->local.index + 1)
        return;
    stop_record_fill(&self->stop, frame);
    if (self->local.index == 0)
        way_back_wait();
    halt_for_ever();
}

bool stop_other_cores(void)
{
    unsigned self = cpu_index();
    uint32_t found = 0;

    if (!compare_exchange(&owner, &found, self + 1))
        return found == self + 1; /* a panic while this core reports a hang: they stand still */
    for (unsigned i = 0; i < smp_possible(); i++) {
        if (i != self && percpu_is_running(i))
            smp_send_nmi(i);
    }
    uint64_t start = rdtsc();
    uint64_t limit = time_ns_to_ticks(ANSWER_LIMIT_NS);
    for (unsigned i = 0; i < smp_possible(); i++) {
        /* Pairs with the release in stop_record_fill(). A core without an answer is dead. */
        while (i != self && percpu_is_running(i) && !load_acquire(&percpu(i)->stop.stopped) &&
               rdtsc() - start < limit)
            cpu_relax();
    }
    return true;
}

void stop_for_panic(void)
{
    if (!stop_other_cores())
        halt_for_ever();
}

/* SPDX-License-Identifier: MIT */
/*
 * Cross-calls: run a function on other cores in interrupt context.
 *
 * Shared words: `call` is written by the caller, the boot core's thread, one call at a time. fn and
 * arg, then seq (release), then the interrupt; the handler acquires seq, runs, and releases its own
 * call_ack; the caller acquires that. A request is posted only when the last one's cores have
 * answered, so a handler never sees fn of one call and arg of another.
 */
#include "smp/internal.h"
#include "smp/smp.h"

#include "kernel/cpu/regs.h"
#include "kernel/lib/atomic.h"
#include "smp/apic.h"

static struct {
    smp_work fn;
    void *arg;
    uint64_t seq;
} call;

bool call_handler(struct trap_frame *frame)
{
    struct percpu *self = this_cpu();
    uint64_t seq = load_acquire(&call.seq); /* pairs with the release in post() */

    (void)frame;
    apic_eoi(); /* first: fn need not return (park, or a fault that is caught) */
    if (self->call_ack != seq) {
        call.fn(call.arg);
        store_release(&self->call_ack, seq); /* pairs with the acquire in wait_for() */
    }
    return true;
}

static uint64_t post(smp_work fn, void *arg)
{
    uint64_t seq = call.seq + 1;

    call.fn = fn;
    call.arg = arg;
    store_release(&call.seq, seq); /* pairs with the acquire in call_handler() */
    return seq;
}

static void wait_for(unsigned core, uint64_t seq)
{
    /* Pairs with the release in call_handler(). */
    while (load_acquire(&percpu(core)->call_ack) != seq)
        cpu_relax();
}

static void call_self(smp_work fn, void *arg)
{
    uint64_t flags = irq_save();

    fn(arg);
    irq_restore(flags);
}

void call_others_nowait(smp_work fn, void *arg)
{
    uint64_t seq = post(fn, arg);

    ipi_ask_others(IPI_CALL, seq, ipi_choose_others(IPI_CALL, seq));
}

void smp_call_all(smp_work fn, void *arg)
{
    call_others_nowait(fn, arg);
    call_self(fn, arg);
    for (unsigned i = 0; i < smp_possible(); i++) {
        if (ipi_was_asked(i, IPI_CALL, call.seq))
            wait_for(i, call.seq);
    }
}

void smp_call_one(unsigned core, smp_work fn, void *arg)
{
    if (core == cpu_index()) {
        call_self(fn, arg);
        return;
    }
    uint64_t seq = post(fn, arg);
    smp_send_ipi(core, VECTOR_CALL);
    wait_for(core, seq);
}

void tlb_flush_this_core(__attribute__((unused)) void *unused)
{
    uint64_t cr4 = read_cr4();

    write_cr4(cr4 ^ CR4_PGE);
    write_cr4(cr4);
}

void smp_tlb_flush(void)
{
    smp_call_all(tlb_flush_this_core, NULL);
}

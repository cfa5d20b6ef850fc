/* SPDX-License-Identifier: MIT */
/*
 * Work in thread context: an idle core waits, and another core gives it a function to run.
 *
 * Shared words: work_fn and work_arg, then work_seq (release) by the starter; the core acquires
 * work_seq, runs, and releases work_done = work_seq; the starter acquires work_done. The core is
 * free exactly while the two are equal, so a starter never overwrites a function in use.
 * A core has one starter at a time: the boot core's thread.
 */
#include "smp/internal.h"
#include "smp/smp.h"

#include "kernel/cpu/regs.h"
#include "kernel/lib/atomic.h"
#include "kernel/lib/fixed_text.h"
#include "smp/apic.h"

FIXED_TEXT bool work_wake_handler(struct trap_frame *frame)
{
    (void)frame; /* the interrupt itself ends idle_wait() */
    apic_eoi();
    return true;
}

void work_loop(void)
{
    struct percpu *self = this_cpu();

    for (;;) {
        irq_disable();
        uint32_t seq = load_acquire(&self->work_seq); /* pairs with smp_start_work() */
        if (seq == self->work_done) {
            idle_wait();
            continue;
        }
        store_relaxed(&self->state, CPU_BUSY);
        irq_enable();
        self->work_fn(self->work_arg);
        store_relaxed(&self->state, CPU_IDLE);
        store_release(&self->work_done, seq); /* pairs with smp_work_done() */
    }
}

bool smp_start_work(unsigned core, smp_work fn, void *arg)
{
    struct percpu *cpu = percpu(core);

    /* The boot core has no idle loop. */
    if (core == 0 || !smp_is_online(core) || !smp_work_done(core))
        return false;
    cpu->work_fn = fn;
    cpu->work_arg = arg;
    store_release(&cpu->work_seq, cpu->work_seq + 1); /* pairs with the acquire in work_loop() */
    smp_send_ipi(core, VECTOR_WAKE);
    return true;
}

bool smp_work_done(unsigned core)
{
    struct percpu *cpu = percpu(core);

    /* Pairs with the release in work_loop(). */
    return load_acquire(&cpu->work_done) == load_relaxed(&cpu->work_seq);
}

void smp_wait_work(unsigned core)
{
    while (!smp_work_done(core))
        cpu_relax();
}

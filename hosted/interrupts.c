/* SPDX-License-Identifier: MIT */
/*
 * Signals that stand for interrupts: a timer per thread, and cross-calls. Where the machine writes
 * its local APIC (smp/apic.h), a process sends a signal, or wakes a thread, so that smp/call.c,
 * smp/ipi.c and smp/work.c serve both. "Interrupts off" is a word of the thread: a signal that
 * comes then is taken when it is cleared. There is nothing in a process that could stand for an
 * NMI.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "hosted/hosted.h"
#include "kernel/cpu/regs.h"
#include "kernel/lib/atomic.h"
#include "kernel/time/time.h"
#include "smp/apic.h"
#include "smp/internal.h"
#include "smp/smp.h"
#include "smp/watchdog.h"

#define SIGNAL_TIMER (SIGRTMIN + 0)
#define SIGNAL_CALL  (SIGRTMIN + 1)

enum { PENDING_TIMER = 1, PENDING_CALL = 2 };

static struct hosted_core *self(void)
{
    return (struct hosted_core *)this_cpu();
}

static void take_timer(struct percpu *cpu)
{
    store_relaxed(&cpu->heartbeat, cpu->heartbeat + 1);
    store_relaxed(&cpu->heartbeat_time, rdtsc());
    run_hook(cpu, &cpu->timer_hook);
}

/* Take what is pending, until nothing is. With interrupts off, as in any handler. */
static void take(struct hosted_core *core)
{
    uint32_t pending;

    while ((pending = exchange(&core->irq_pending, 0)) != 0) {
        store_relaxed(&core->irq_off, true);
        core->cpu.local.trap_depth++;
        if (pending & PENDING_TIMER)
            take_timer(&core->cpu);
        if (pending & PENDING_CALL)
            call_handler(NULL);
        core->cpu.local.trap_depth--;
        store_release(&core->irq_off, false); /* pairs with smp_sync_cores() */
        compiler_barrier(); /* against this thread's own signals: look again with them on */
    }
}

static void on_signal(int signal)
{
    struct hosted_core *core = self();

    fetch_or(&core->irq_pending, signal == SIGNAL_CALL ? PENDING_CALL : PENDING_TIMER);
    if (!load_relaxed(&core->irq_off))
        take(core);
}

void irq_enable(void)
{
    struct hosted_core *core = self();

    store_release(&core->irq_off, false); /* pairs with smp_sync_cores() */
    compiler_barrier();
    if (load_relaxed(&core->irq_pending))
        take(core);
}

void irq_disable(void)
{
    store_relaxed(&self()->irq_off, true);
    compiler_barrier();
}

uint64_t irq_save(void)
{
    bool was_off = load_relaxed(&self()->irq_off);

    irq_disable();
    return was_off ? 0 : RFLAGS_IF;
}

void irq_restore(uint64_t flags)
{
    if (flags & RFLAGS_IF)
        irq_enable();
}

/* ---- senders ---- */

bool smp_has_nmis(void)
{
    return false;
}

void apic_eoi(void)
{
}

static void send_call(const struct hosted_core *core)
{
    syscall(SYS_tgkill, getpid(), core->tid, SIGNAL_CALL);
}

void apic_send(uint32_t id, uint32_t command)
{
    unsigned vector = command & 0xff;

    for (unsigned i = 0; i < smp_possible(); i++) {
        if (percpu(i)->apic_id != id)
            continue;
        if (vector == VECTOR_CALL)
            send_call(hosted_core(i));
        else if (vector == VECTOR_WAKE)
            wake_core(hosted_core(i));
    }
}

void apic_send_others(uint32_t command)
{
    for_each_online_cpu (i)
        if ((unsigned)i != cpu_index())
            apic_send(percpu((unsigned)i)->apic_id, command);
}

/* ---- the timer ---- */

static bool make_timer(struct hosted_core *core)
{
    struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGNAL_TIMER };

    event._sigev_un._tid = core->tid;
    return timer_create(CLOCK_MONOTONIC, &event, &core->timer) == 0;
}

void smp_timer_start(unsigned us)
{
    struct hosted_core *core = self();
    struct timespec period = { us / 1000000, us % 1000000 * 1000 };

    store_relaxed(&core->cpu.heartbeat_time, us ? rdtsc() : 0);
    if (!core->has_timer && (!us || !(core->has_timer = make_timer(core))))
        return; /* none: what a test then does not see is its own business */
    timer_settime(core->timer, 0, &(struct itimerspec){ period, period }, NULL);
}

/* The watchdog is a thread: cores need no tick for it. */
void watchdog_start_core(void)
{
    smp_timer_start(0);
}

void interrupts_init(void)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK | SA_RESTART };

    sigaction(SIGNAL_TIMER, &action, NULL);
    sigaction(SIGNAL_CALL, &action, NULL);
}

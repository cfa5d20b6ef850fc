/* SPDX-License-Identifier: MIT */
/*
 * Cores are threads, each pinned to a processor. The one that starts the process is core 0.
 *
 * Shared words as in smp/park.c, with a futex where a core has HLT.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hosted/hosted.h"
#include "kernel/cpu/regs.h"
#include "kernel/lib/atomic.h"
#include "kernel/mm/mm.h"
#include "smp/internal.h"
#include "smp/smp.h"
#include "smp/watchdog.h"

#define SPINS_BEFORE_SLEEP 20000u

static struct hosted_core *cores;
static unsigned possible = 1;
static struct smp_topology topology;

struct hosted_core *hosted_core(unsigned core)
{
    return &cores[core];
}

struct percpu *percpu(unsigned index)
{
    return &cores[index].cpu;
}

unsigned smp_possible(void)
{
    return possible;
}

const struct smp_topology *smp_topology(void)
{
    return &topology;
}

/* ---- idle ---- */

/*
 * `woken` is set by whoever wakes the core, after what it shall see. The exchange is a full
 * barrier: what the caller looks at next is not older than the wake-up that is taken here, and a
 * later one stays.
 */
void idle_wait(void)
{
    struct hosted_core *self = (struct hosted_core *)this_cpu();

    irq_enable(); /* as in HLT: a sync that found this core online may wait for it */
    for (unsigned i = 0; i < SPINS_BEFORE_SLEEP && !load_acquire(&self->woken); i++)
        cpu_relax();
    while (!exchange(&self->woken, 0)) /* pairs with wake_core() */
        syscall(SYS_futex, &self->woken, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    irq_disable();
}

void wake_core(struct hosted_core *core)
{
    store_release(&core->woken, 1); /* pairs with idle_wait() */
    syscall(SYS_futex, &core->woken, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/*
 * Voluntary ones count too: a system call of the patcher that sleeps waits for a processor again.
 */
uint64_t smp_preemptions(void)
{
    struct rusage usage;

    getrusage(RUSAGE_THREAD, &usage);
    return (uint64_t)usage.ru_nvcsw + (uint64_t)usage.ru_nivcsw;
}

/* ---- park ---- */

void run_hook(struct percpu *self, void (**hook)(void))
{
    void (*fn)(void) = load_acquire(hook);
    uint32_t state = load_relaxed(&self->state);

    if (fn && state != CPU_PARKED && state != CPU_UNPARKED)
        fn();
}

static void log_online(struct hosted_core *self)
{
    ring_lock(self); /* a sync that finds this core online logs its acknowledgement there */
    poke_log_online();
    ring_unlock(self);
}

void smp_park(void)
{
    struct percpu *self = this_cpu();
    uint32_t state = self->state;

    smp_timer_start(0);
    irq_disable();
    poke_log_offline();
    store_release(&self->state, CPU_PARKED);
    while (load_acquire(&self->state) == CPU_PARKED) /* pairs with smp_unpark() */
        idle_wait();
    log_online((struct hosted_core *)self);
    sync_core();
    store_release(&self->state, state);
    irq_enable();
}

bool smp_unpark(unsigned core)
{
    uint32_t parked = CPU_PARKED;

    if (!compare_exchange(&percpu(core)->state, &parked, CPU_UNPARKED))
        return false;
    smp_send_ipi(core, VECTOR_WAKE);
    return true;
}

/* ---- start ---- */

static bool pin(int processor)
{
    size_t bytes = CPU_ALLOC_SIZE(processor + 1);
    cpu_set_t *set = CPU_ALLOC(processor + 1);

    CPU_ZERO_S(bytes, set);
    CPU_SET_S(processor, bytes, set);
    bool ok = set && sched_setaffinity(0, bytes, set) == 0;
    CPU_FREE(set);
    return ok;
}

static uint32_t apic_id_here(void)
{
    return cpuid_basic(0xb, 0).ebx ? cpuid(0xb, 0).edx : cpuid(1, 0).ebx >> 24;
}

/* On the thread: true if it runs where it should. */
static bool become_core(struct hosted_core *core)
{
    bool pinned = pin(core->processor);

    signals_enter_core(core);
    core->cpu.apic_id = apic_id_here();
    identify_core(&core->cpu);
    core->tid = (pid_t)syscall(SYS_gettid);
    return pinned;
}

static void *thread_main(void *arg)
{
    struct hosted_core *core = arg;
    bool pinned = become_core(core);

    store_release(&core->cpu.state, pinned ? CPU_IDLE : CPU_FAILED); /* pairs with start_thread() */
    if (!pinned)
        return NULL;
    work_loop();
}

static bool start_thread(unsigned i)
{
    pthread_t thread;

    cores[i].cpu.state = CPU_STARTING;
    if (pthread_create(&thread, NULL, thread_main, &cores[i]) != 0)
        return false;
    pthread_detach(thread);
    while (load_acquire(&cores[i].cpu.state) == CPU_STARTING)
        sched_yield();
    return smp_is_online(i);
}

bool cores_start(const int *processors, unsigned count, char *error, size_t size)
{
    size_t pages = (count * sizeof *cores + PAGE_SIZE - 1) / PAGE_SIZE;

    cores = pages_alloc_virt(pages);
    if (!cores) {
        snprintf(error, size, "no memory for %u cores", count);
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        cores[i].cpu.local.index = i;
        cores[i].processor = processors[i];
    }
    cores[0].cpu.state = CPU_BUSY;
    possible = count;
    topology = (struct smp_topology){ .listed = count, .note = limits_note() };
    if (!become_core(&cores[0])) {
        snprintf(error, size,
                 "cannot pin a thread to processor %d: %s; the container or a security module "
                 "forbids sched_setaffinity(2)",
                 processors[0], strerror(errno));
        return false;
    }
    for (unsigned i = 1; i < count; i++)
        topology.failed += !start_thread(i);
    return true;
}

/* SPDX-License-Identifier: MIT */
/*
 * Cores are threads, each pinned to a processor. The one that starts the process is core 0.
 *
 * Shared words as in smp/work.c and smp/park.c, with a futex where those have HLT.
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

bool smp_is_online(unsigned core)
{
    uint32_t state = load_acquire(&percpu(core)->state); /* pairs with start_thread(), smp_park() */

    return state == CPU_IDLE || state == CPU_BUSY || state == CPU_UNPARKED;
}

int smp_next_online(int core)
{
    for (unsigned i = (unsigned)(core + 1); i < possible; i++)
        if (smp_is_online(i))
            return (int)i;
    return -1;
}

unsigned smp_online(void)
{
    unsigned count = 0;

    for_each_online_cpu (i)
        count++;
    return count;
}

/* ---- sleeping ---- */

static void sleep_while(uint32_t *word, uint32_t value)
{
    for (unsigned i = 0; i < SPINS_BEFORE_SLEEP; i++) {
        if (load_acquire(word) != value)
            return;
        cpu_relax();
    }
    while (load_acquire(word) == value)
        syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void wake(uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* ---- work ---- */

static _Noreturn void idle_loop(struct percpu *self)
{
    for (;;) {
        uint32_t seq = self->work_done;

        sleep_while(&self->work_seq, seq);
        seq = load_acquire(&self->work_seq); /* pairs with smp_start_work() */
        store_relaxed(&self->state, CPU_BUSY);
        self->work_fn(self->work_arg);
        store_relaxed(&self->state, CPU_IDLE);
        store_release(&self->work_done, seq); /* pairs with smp_work_done() */
    }
}

bool smp_start_work(unsigned core, smp_work fn, void *arg)
{
    struct percpu *cpu = percpu(core);

    if (core == 0 || !smp_is_online(core) || !smp_work_done(core))
        return false;
    cpu->work_fn = fn;
    cpu->work_arg = arg;
    store_release(&cpu->work_seq, cpu->work_seq + 1); /* pairs with idle_loop() */
    wake(&cpu->work_seq);
    return true;
}

bool smp_work_done(unsigned core)
{
    struct percpu *cpu = percpu(core);

    return load_acquire(&cpu->work_done) == load_relaxed(&cpu->work_seq); /* idle_loop() */
}

void smp_wait_work(unsigned core)
{
    while (!smp_work_done(core))
        cpu_relax();
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
    irq_enable(); /* as in HLT: a sync that found this core online may wait for it */
    sleep_while(&self->state, CPU_PARKED); /* pairs with smp_unpark() */
    irq_disable();
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
    wake(&percpu(core)->state);
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
    idle_loop(&core->cpu);
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

/* SPDX-License-Identifier: MIT */
/* Ends a hang: one more thread looks at the deadline. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hosted/hosted.h"
#include "kernel/console/console.h"
#include "kernel/exit.h"
#include "kernel/lib/atomic.h"
#include "kernel/lib/fmt.h"
#include "kernel/time/time.h"
#include "kernel/trap/backtrace.h"
#include "smp/internal.h"
#include "smp/smp.h"
#include "smp/watchdog.h"

#define LOOK_NS     20000000l
#define NO_DEADLINE UINT64_MAX

struct stage {
    const char *name;
    unsigned limit_ms;
};

/* Written by core 0's thread; the deadline goes first and comes back last, as in smp/watchdog.c. */
static struct stage stage = { .name = "start" };
static uint64_t deadline = NO_DEADLINE;
static watchdog_report report;

void watchdog_stage(const char *name, unsigned ms)
{
    store_release(&deadline, NO_DEADLINE);
    store_release(&stage.name, name);
    store_release(&stage.limit_ms, ms);
    if (ms)
        store_release(&deadline, rdtsc() + time_ns_to_ticks(ms * 1000000ull));
}

const char *watchdog_stage_name(void)
{
    return load_acquire(&stage.name);
}

void watchdog_set_report(watchdog_report fn)
{
    report = fn;
}

/* All cores are stopped first: core 0 may be about to write the same report. */
static void end_hang(const struct stage *over)
{
    stop_cores();
    uint64_t round;
    int core = smp_sync_silent(&round);
    char silent[16] = "";

    con_printf("\n# HANG stage %s: no end after %u ms\n", over->name, over->limit_ms);
    for (unsigned i = 0; i < smp_possible(); i++) {
        const struct percpu *cpu = percpu(i);
        const char *phase = load_relaxed(&cpu->phase);

        con_printf("# core %u (processor %d): %s, phase %s, %llu INT3 hits\n", i,
                   hosted_core(i)->processor, cpu_state_name(load_relaxed(&cpu->state)),
                   phase ? phase : "none", (unsigned long long)load_relaxed(&cpu->poke.int3_hits));
        const struct stop_record *stop = stop_record_of(i);
        if (stop)
            backtrace_print(stop->trace, stop->frames);
    }
    if (core >= 0) {
        con_printf("# sync round %llu waits for core %d\n", (unsigned long long)round, core);
        fmt_print(silent, sizeof silent, "%d", core);
    }
    if (report)
        report(over->name, silent);
    exit_now(EXIT_HANG);
}

/*
 * Is a stage over its time? The clock is read before the deadline: whoever loses his processor
 * between the two then meets a later stage's deadline with an early time, and not an old deadline
 * with a late one. If the same deadline stands after the stage was read, they belong together.
 */
static bool find_overdue(struct stage *over)
{
    uint64_t now = rdtsc();
    uint64_t end = load_acquire(&deadline); /* pairs with watchdog_stage() */

    over->name = load_acquire(&stage.name);
    over->limit_ms = load_acquire(&stage.limit_ms);
    return end != NO_DEADLINE && (int64_t)(now - end) > 0 && load_acquire(&deadline) == end;
}

static void *look(void *unused)
{
    struct stage over;

    (void)unused;
    for (;;) {
        nanosleep(&(struct timespec){ 0, LOOK_NS }, NULL);
        if (find_overdue(&over))
            end_hang(&over);
    }
    return NULL;
}

bool watchdog_start(char *error, size_t size)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, look, NULL) == 0)
        return true;
    snprintf(error, size, "the watchdog's thread cannot be started");
    return false;
}

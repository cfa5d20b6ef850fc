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
#include "smp/smp.h"
#include "smp/watchdog.h"

#define LOOK_NS     20000000l
#define NO_DEADLINE UINT64_MAX

/* Written by core 0's thread; the deadline goes first and comes back last, as in smp/watchdog.c. */
static const char *stage = "start";
static uint64_t deadline = NO_DEADLINE;
static unsigned limit_ms;
static watchdog_report report;

void watchdog_stage(const char *name, unsigned ms)
{
    store_release(&deadline, NO_DEADLINE);
    store_release(&stage, name);
    limit_ms = ms;
    if (ms)
        store_release(&deadline, rdtsc() + time_ns_to_ticks(ms * 1000000ull));
}

const char *watchdog_stage_name(void)
{
    return load_acquire(&stage);
}

void watchdog_set_report(watchdog_report fn)
{
    report = fn;
}

static void end_hang(void)
{
    static const char *const states[] = {
        [CPU_PENDING] = "pending", [CPU_STARTING] = "starting", [CPU_IDLE] = "idle",
        [CPU_BUSY] = "busy",       [CPU_PARKED] = "parked",     [CPU_UNPARKED] = "unparked",
        [CPU_STOPPED] = "stopped", [CPU_FAILED] = "failed",
    };

    uint64_t round;
    int core = smp_sync_silent(&round);
    char silent[16] = "";

    con_printf("\n# HANG stage %s: no end after %u ms\n", stage, limit_ms);
    for (unsigned i = 0; i < smp_possible(); i++) {
        const struct percpu *cpu = percpu(i);
        const char *phase = load_relaxed(&cpu->phase);

        con_printf("# core %u (processor %d): %s, phase %s, %llu INT3 hits\n", i,
                   hosted_core(i)->processor, states[load_relaxed(&cpu->state)],
                   phase ? phase : "none", (unsigned long long)load_relaxed(&cpu->poke.int3_hits));
        const struct stop_record *stop = smp_is_online(i) ? stop_core(i) : NULL;
        if (stop)
            backtrace_print(stop->trace, stop->frames);
    }
    if (core >= 0) {
        con_printf("# sync round %llu waits for core %d\n", (unsigned long long)round, core);
        fmt_print(silent, sizeof silent, "%d", core);
    }
    if (report)
        report(stage, silent);
    exit_now(EXIT_HANG);
}

static void *look(void *unused)
{
    (void)unused;
    for (;;) {
        nanosleep(&(struct timespec){ 0, LOOK_NS }, NULL);
        uint64_t end = load_acquire(&deadline); /* pairs with watchdog_stage() */

        if (end != NO_DEADLINE && (int64_t)(rdtsc() - end) > 0)
            end_hang();
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

/* SPDX-License-Identifier: MIT */
/*
 * Shared words: `deadline` and `stage` are written by the boot core and read by the timer interrupt
 * of every core. The deadline is taken away before the stage changes and comes back after it, so a
 * tick that sees a deadline (acquire) sees its stage. TSC values of other cores are compared after
 * subtraction of their measured offset, and nothing here needs them to be exact.
 */
#include "smp/watchdog.h"

#include "kernel/leave.h"
#include "kernel/lib/atomic.h"
#include "kernel/time/time.h"
#include "smp/internal.h"
#include "smp/smp.h"

/*
 * 10 ms; with more than ten cores longer, so that all together take at most 1000 interrupts a
 * second: an emulator that runs 255 cores in turns would come to nothing else. Every core looks at
 * the deadline, so a hang is still found within milliseconds.
 */
#define TICK_US          10000u
#define TICK_PER_CORE_US 1000u
#define TICK_MAX_US      250000u
#define NO_DEADLINE      UINT64_MAX

static const char *stage = "boot";
static uint64_t stage_ticks; /* how long it may last */
static uint64_t deadline = NO_DEADLINE;
static watchdog_report report;

void watchdog_stage(const char *name, unsigned ms)
{
    uint64_t ticks = time_ns_to_ticks(ms * 1000000ull);

    store_release(&deadline, NO_DEADLINE);
    store_release(&stage, name);
    store_relaxed(&stage_ticks, ticks);
    if (ms != 0)
        store_release(&deadline, rdtsc() + ticks); /* pairs with the acquire in watchdog_tick() */
}

const char *watchdog_stage_name(void)
{
    return load_acquire(&stage);
}

void watchdog_set_report(watchdog_report fn)
{
    report = fn;
}

void watchdog_start_core(void)
{
    unsigned us = smp_possible() * TICK_PER_CORE_US;

    smp_timer_start(us < TICK_US ? TICK_US : us > TICK_MAX_US ? TICK_MAX_US : us);
}

/* Time on the boot core's clock. */
static uint64_t boot_core_now(void)
{
    return rdtsc() - (uint64_t)this_cpu()->tsc_offset;
}

void watchdog_tick(const struct trap_frame *frame)
{
    uint64_t now = boot_core_now();
    char silent[256];

    /* Pairs with the release in watchdog_stage(). A deadline in the future is not one yet. */
    uint64_t limit = load_acquire(&deadline);
    if (limit == NO_DEADLINE || (int64_t)(now - limit) < 0)
        return;
    /* A core whose clock is not compared yet cannot tell. Pairs with tsc_offset_measure(). */
    if (cpu_index() != 0 && !load_acquire(&this_cpu()->tsc_known))
        return;
    if (!stop_other_cores())
        return; /* to where the owner's NMI finds this core */
    stop_record_fill(&this_cpu()->stop, frame);
    struct hang hang = { .stage = stage, .limit = stage_ticks, .found = now };
    hang_print(&hang, silent, sizeof silent);
    if (report)
        report(stage, silent);
    leave_ended(EXIT_HANG);
}

/* SPDX-License-Identifier: MIT */
#include "tests/harness/slice.h"

#include "kernel/time/time.h"
#include "smp/smp.h"
#include "smp/watchdog.h"
#include "tests/harness/report.h"

/* The other cores come back, and the record of the new slice is written by a slow serial port. */
#define RESUME_MS 60000

static struct harness_world world;
static unsigned number;
static uint64_t begun; /* TSC */

void harness_set_world(const struct harness_world *w)
{
    world = *w;
}

const struct harness_world *slice_world(void)
{
    return &world;
}

void slice_first(const struct test *first)
{
    number = 1;
    report_slice_comes(number, first); /* for a machine that ends in it */
    begun = rdtsc();
}

bool slice_is_over(const struct words *w)
{
    return world.write_report && w->slice &&
           time_ticks_to_ns(rdtsc() - begun) / 1000000000 >= w->slice;
}

static uint64_t ms_since(uint64_t start)
{
    return time_ticks_to_ns(rdtsc() - start) / 1000000;
}

void slice_next(const struct test *next)
{
    unsigned before = smp_online();
    struct slice_record record = { .number = ++number, .from = next };

    record.tests_ms = ms_since(begun);
    report_slice_comes(number, next);
    watchdog_stage("the firmware writes the report", 0); /* its time is nobody's budget */
    uint64_t left = rdtsc();
    world.write_report();
    watchdog_stage("harness", RESUME_MS);
    record.firmware_ms = ms_since(left);
    record.lost_cores =
        before > smp_online() ? before - smp_online() : 0; /* a parked one is back */
    report_slice(&record);
    begun = rdtsc();
}

/* SPDX-License-Identifier: MIT */
/*
 * How long it takes to trace every function of the kernel that can be, and to end it, beside a bare
 * round of core sync, while every other core runs.
 */
#include "kernel/time/time.h"
#include "poke/users/ftrace.h"
#include "smp/smp.h"
#include "tests/latency/ground.h"
#include "tests/latency/measure.h"
#include "tests/lib/figure.h"
#include "tests/lib/others.h"

#define TURNS_LEAST 4u

static struct series sync, on, off;

/* Called once in each state, by this core alone. */
__attribute__((noipa)) static void witness(void)
{
}

static uint64_t witnessed;

notrace static void count(uintptr_t ip, __attribute__((unused)) uintptr_t parent_ip,
                          __attribute__((unused)) struct tracer *tracer)
{
    if (ip == (uintptr_t)witness)
        witnessed++;
}

DEFINE_TRACER(counter, count);

static void time_sync(void)
{
    struct measured m;

    measure_begin(&m);
    smp_text_poke_sync_each_cpu();
    measure_end(&m);
    series_add(&sync, &m.sample);
}

/* All functions, and in the end none: false if it is not so. */
static bool time_switch(struct series *series, struct tracer *tracer, uint32_t traced)
{
    struct measured m;

    measure_begin(&m);
    enum poke_error e = ftrace_set_filter("*", tracer);
    measure_end(&m);
    series_add(series, &m.sample);
    witness();
    return !e && ftrace_functions_of(&counter) == traced;
}

static void report(struct test_run *t)
{
    struct spread of_each = series_spread(&on);

    of_each.median /= ftrace_functions();
    of_each.low /= ftrace_functions();
    of_each.high /= ftrace_functions();
    measure_report_trust(t);
    json_uint(&t->data, "functions", ftrace_functions());
    series_report(&t->data, &sync);
    series_report(&t->data, &on);
    series_report(&t->data, &off);
    figures_begin(t);
    figure_of_series(t, "users.trace_all", &on);
    figure_of_series(t, "users.trace_none", &off);
    figure_of_spread(t, "users.trace_all_per_function", "ns", &of_each);
    figure_of_ratio(t, "users.trace_all_over_sync", &on, &sync, 1);
    figure_of_ratio(t, "users.trace_none_over_sync", &off, &sync, 1);
    figures_end(t);
}

TEST_BARE("text of its own that can be patched", latency, user_trace_all,
          "how long it takes to trace all functions of the kernel, and to end it", .budget_ms = 500,
          .default_ms = 200, .must_see = { { SEE_PATCHES, TURNS_LEAST * 1000 } })
{
    uint64_t sites = poke_counters()->sites;
    unsigned turns = 0, wrong = 0;

    measure_init();
    series_init(&sync, "sync", 1);
    series_init(&on, "on", 1);
    series_init(&off, "off", 1);
    witnessed = 0;
    others_keep_busy(t);
    ground_check_order(false);
    for (uint64_t end = rdtsc() + time_ns_to_ticks(test_duration_ms(t) * 1000000);
         turns < TURNS_LEAST || rdtsc() < end; turns++) {
        time_sync();
        wrong += !time_switch(&on, &counter, ftrace_functions());
        wrong += !time_switch(&off, NULL, 0);
    }
    ground_check_order(true);
    others_stop();

    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(witnessed, turns);
    EXPECT_EQ(poke_counters()->sites - sites, 2ull * turns * ftrace_functions());
    saw(SEE_PATCHES, poke_counters()->sites - sites);
    report(t);
}

/* SPDX-License-Identifier: MIT */
/*
 * Does a slow sample appear in the report of its series, with its cause? One is planted for each
 * cause that this machine can plant, among samples that do nothing.
 */
#include "kernel/cpu/regs.h"
#include "kernel/lib/string.h"
#include "kernel/time/time.h"
#include "smp/smp.h"
#include "smp/watchdog.h"
#include "tests/latency/measure.h"
#ifdef CROSSMOD_HOSTED
#include "tests/latency/linux_call.h"
#endif

#define QUIET    200
#define DELAY_US 300
#define ATTEMPTS 20 /* a process may lose its processor in the very sample: another cause */
#define TIMER_US 200

static struct series series;

/* ---- delays ---- */

/* A timer interrupt at least: `timer_us` apart they come. */
static void delay_with_timer(void)
{
    uint64_t before = load_relaxed(&this_cpu()->heartbeat);

    smp_timer_start(TIMER_US);
    while (load_relaxed(&this_cpu()->heartbeat) == before)
        cpu_relax();
    smp_timer_start(0);
    time_delay_us(DELAY_US);
}

static void delay_alone(void)
{
    time_delay_us(DELAY_US);
}

static void delay_with_nmi(void)
{
    uint64_t before = load_relaxed(&this_cpu()->nmi_count);

    smp_send_nmi(cpu_index());
    while (load_relaxed(&this_cpu()->nmi_count) == before)
        cpu_relax();
    time_delay_us(DELAY_US);
}

#ifdef CROSSMOD_HOSTED
static void delay_without_processor(void)
{
    static const int64_t length[2] = { 0, DELAY_US * 1000 }; /* struct timespec */

    linux_call(LINUX_NANOSLEEP, (long)length, 0, 0);
}
#endif

/* ---- judging ---- */

static void sample(void (*delay)(void), bool timed)
{
    struct measured m;
    uint64_t flags = irq_save();

    smp_timer_start(0); /* what is not planted must not come */
    irq_restore(flags);
    measure_begin(&m);
    if (delay && timed)
        delay();
    measure_end(&m);
    if (delay && !timed)
        delay();
    series_add(&series, &m.sample);
}

/* Of the slowest samples only the planted one took that long; the host may have added others. */
static bool appears(enum cause cause)
{
    for (unsigned i = 0; i < series.slowest_count; i++)
        if (series.slowest[i].cause == cause && series.slowest[i].core == cpu_index() &&
            time_ticks_to_ns(series.slowest[i].ticks) >= DELAY_US * 1000)
            return true;
    return false;
}

static bool plant_once(enum cause cause, void (*delay)(void), bool timed)
{
    series_init(&series, cause_name(cause), 1);
    for (unsigned i = 0; i < QUIET; i++)
        sample(i == QUIET / 2 ? delay : NULL, timed);
    return appears(cause);
}

static void plant(struct test_run *t, enum cause cause, void (*delay)(void), bool timed)
{
    bool found = false;

    for (unsigned attempt = 0; attempt < ATTEMPTS && !found; attempt++)
        found = plant_once(cause, delay, timed);
    if (!found)
        FAIL("a sample of %u us, disturbed by: %s, is not among the outliers", DELAY_US,
             cause_name(cause));
    if (cause == CAUSE_PREEMPTION && !series.left_out)
        FAIL("a sample without its processor was not left out");
    series_report(&t->data, &series);
    saw(SEE_EXECUTIONS, QUIET);
}

static void plant_all(struct test_run *t, bool timed)
{
    measure_init();
    measure_report_trust(t);
    plant(t, CAUSE_UNKNOWN, delay_alone, timed);
    plant(t, CAUSE_TIMER, delay_with_timer, timed);
    if (smp_has_nmis())
        plant(t, CAUSE_NMI, delay_with_nmi, timed);
#ifdef CROSSMOD_HOSTED
    plant(t, CAUSE_PREEMPTION, delay_without_processor, timed);
#endif
    watchdog_start_core(); /* the default tick again */
}

TEST(latency, outlier, "a slow sample is among the outliers, with its core and its cause",
     .budget_ms = 200, .must_see = { { SEE_EXECUTIONS, 2 * QUIET } })
{
    plant_all(t, true);
}

TEST(selftest, fault_latency_untimed, "must fail: the delay comes when the sample has ended",
     .budget_ms = 200)
{
    plant_all(t, false);
}

/* SPDX-License-Identifier: MIT */
/*
 * Taking samples on this machine: the clock, and what disturbed a sample.
 *
 *     struct measured m;
 *     measure_begin(&m);
 *     ...                      nothing here prints, allocates or logs to a device
 *     measure_end(&m);
 *     series_add(&series, &m.sample);
 *
 * On the core that measures, in thread context.
 */
#ifndef TESTS_LATENCY_MEASURE_H
#define TESTS_LATENCY_MEASURE_H

#include "kernel/lib/atomic.h"
#include "tests/harness/test.h"
#include "tests/latency/series.h"

/* Counts of what can come between. */
struct disturbances {
    uint64_t preemptions; /* smp_preemptions() */
    uint64_t smis;        /* MSR_SMI_COUNT; 0 where it cannot be read */
    uint64_t nmis, timers;
};

struct measured {
    struct sample sample;
    struct disturbances before;
};

/* The TSC: everything before it has been executed, and nothing behind it. */
static inline uint64_t measure_clock(void)
{
    uint32_t lo, hi;

    __asm__ volatile("lfence; rdtsc; lfence" : "=a"(lo), "=d"(hi)::"memory");
    return (uint64_t)hi << 32 | lo;
}

/* Finds out what this machine can tell. Once per test, before the first sample; boot core. */
void measure_init(void);

/*
 * In a loop that waits for another core: `pause` where cores take turns (emulation by one thread),
 * where nobody else would run without it. Elsewhere nothing: a pause is longer than what is timed.
 */
extern bool cores_take_turns; /* measure_init() writes it */
static inline void measure_relax(void)
{
    if (cores_take_turns)
        cpu_relax();
}

/* The disturbances of this core so far. */
struct disturbances disturbances_now(void);
/* The worst that came since `before`. */
enum cause disturbed_by(const struct disturbances *before);

static inline void measure_begin(struct measured *m)
{
    m->before = disturbances_now();
    m->sample.begin = measure_clock();
}

/* Fills in m->sample. */
void measure_finish(struct measured *m, uint64_t end);

static inline void measure_end(struct measured *m)
{
    measure_finish(m, measure_clock());
}

/* ---- the report ---- */

/*
 * "trust": what there is against believing times measured here ("doubts", empty: nothing), and
 * whether SMIs can be seen.
 */
void measure_report_trust(struct test_run *t);

/* Figures in ns per operation; and of a ratio, as series_ratio(). None without a sample. */
void figure_of_series(struct test_run *t, const char *name, const struct series *s);
void figure_of_ratio(struct test_run *t, const char *name, const struct series *a,
                     const struct series *b, unsigned times);
/* Figure of an own spread in thousandths of `unit`. None if it is empty. */
void figure_of_spread(struct test_run *t, const char *name, const char *unit,
                      const struct spread *s);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A series: the samples of one quantity, in the order in which they were taken. Series that are
 * sampled in turn, one sample of each after the other, belong together turn by turn: what disturbed
 * one for longer than a turn disturbed the other too, so the median of the ratios within a turn
 * says more than the ratio of the medians.
 *
 * Pure but for the length of a tick (time_ticks_to_ns()). One core at a time.
 */
#ifndef TESTS_LATENCY_SERIES_H
#define TESTS_LATENCY_SERIES_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/lib/hist.h"
#include "kernel/lib/json.h"
#include "tests/latency/spread.h"

/* What can be told of what came between a sample's begin and its end, the worst first. */
enum cause {
    CAUSE_PREEMPTION, /* the thread lost its processor: such a sample is left out */
    CAUSE_SMI,
    CAUSE_NMI,
    CAUSE_TIMER,   /* timer interrupt of this core */
    CAUSE_UNKNOWN, /* none of these: the host, the hypervisor, the quantity itself */
    CAUSES
};
const char *cause_name(enum cause cause);

struct sample {
    uint64_t begin; /* TSC */
    uint64_t ticks;
    uint32_t core;
    uint32_t cause; /* enum cause */
};

#define SERIES_TURNS    2048 /* whose raw ticks are kept at most; the histogram has all samples */
#define SERIES_OUTLIERS 4
#define SERIES_NONE     UINT64_MAX /* ticks of a turn that was left out */

struct series {
    const char *name;
    unsigned operations; /* per sample: times are reported for one of them */
    unsigned turns;      /* samples taken */
    unsigned left_out;   /* of those */
    uint64_t smis;       /* samples with one */
    struct hist ns;
    unsigned stride;              /* the ticks of every so many turns are kept; a power of two */
    uint64_t ticks[SERIES_TURNS]; /* of turn i * stride, or SERIES_NONE */
    struct sample slowest[SERIES_OUTLIERS]; /* falling, those left out too */
    unsigned slowest_count;
};

/* Empty it. `name` (constant) is its key in reports; a sample times `operations` in a row. */
void series_init(struct series *s, const char *name, unsigned operations);

/* The next turn's sample. */
void series_add(struct series *s, const struct sample *sample);
/* The next turn has no sample: what was to be timed did not happen. */
void series_skip(struct series *s);

/* Thousandths of a nanosecond per operation, of the turns that are kept. */
struct spread series_spread(const struct series *s);

/*
 * Thousandths: one operation of `a` over `times` operations of `b` in the same turn, of the turns
 * in which both have a sample, and that of `b` is not 0. The k-th sample of each is of turn k.
 */
struct spread series_ratio(const struct series *a, const struct series *b, unsigned times);

/*
 * An object of the series' name: n, turns left out, SMIs, min, the percentiles that n samples can
 * tell, and max, in ns per operation; and of the slowest samples those that took more than twice
 * the median, each with time stamp, core and cause.
 */
void series_report(struct json *j, const struct series *s);

#endif

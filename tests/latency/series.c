/* SPDX-License-Identifier: MIT */
#include "tests/latency/series.h"

#include "kernel/time/time.h"

/* Boot core only, like whoever asks for a spread. */
static uint64_t values[SERIES_TURNS];

const char *cause_name(enum cause cause)
{
    static const char *const names[CAUSES] = {
        [CAUSE_PREEMPTION] = "preemption", [CAUSE_SMI] = "smi",         [CAUSE_NMI] = "nmi",
        [CAUSE_TIMER] = "timer",           [CAUSE_UNKNOWN] = "unknown",
    };

    return names[cause];
}

/* ---- taking ---- */

void series_init(struct series *s, const char *name, unsigned operations)
{
    s->name = name;
    s->operations = operations;
    s->turns = s->left_out = s->slowest_count = 0;
    s->stride = 1;
    s->smis = 0;
    hist_init(&s->ns);
}

static void keep_if_slow(struct series *s, const struct sample *sample)
{
    unsigned at = s->slowest_count;

    if (at == SERIES_OUTLIERS && s->slowest[at - 1].ticks >= sample->ticks)
        return;
    if (at < SERIES_OUTLIERS)
        s->slowest_count++;
    else
        at--;
    for (; at > 0 && s->slowest[at - 1].ticks < sample->ticks; at--)
        s->slowest[at] = s->slowest[at - 1];
    s->slowest[at] = *sample;
}

/* Twice as far apart: those that are kept come from the whole time. */
static void thin_out(struct series *s)
{
    for (unsigned i = 0; i < SERIES_TURNS / 2; i++)
        s->ticks[i] = s->ticks[2 * i];
    s->stride *= 2;
}

static void next_turn(struct series *s, uint64_t ticks)
{
    if (s->turns == SERIES_TURNS * s->stride)
        thin_out(s);
    if (s->turns % s->stride == 0)
        s->ticks[s->turns / s->stride] = ticks;
    s->turns++;
    s->left_out += ticks == SERIES_NONE;
}

void series_add(struct series *s, const struct sample *sample)
{
    keep_if_slow(s, sample);
    s->smis += sample->cause == CAUSE_SMI;
    if (sample->cause == CAUSE_PREEMPTION) {
        next_turn(s, SERIES_NONE);
        return;
    }
    next_turn(s, sample->ticks);
    hist_add(&s->ns, time_ticks_to_ns(sample->ticks) / s->operations);
}

void series_skip(struct series *s)
{
    next_turn(s, SERIES_NONE);
}

/* ---- what they come down to ---- */

struct spread series_spread(const struct series *s)
{
    unsigned n = 0;

    for (unsigned turn = 0; turn < s->turns; turn += s->stride) {
        uint64_t ticks = s->ticks[turn / s->stride];

        if (ticks != SERIES_NONE)
            values[n++] = time_ticks_to_ns(ticks * 1000) / s->operations;
    }
    return spread_of(values, n);
}

struct spread series_ratio(const struct series *a, const struct series *b, unsigned times)
{
    /* Powers of two: what the wider one keeps, the other keeps too. */
    unsigned stride = a->stride > b->stride ? a->stride : b->stride, n = 0;

    for (unsigned turn = 0; turn < a->turns && turn < b->turns; turn += stride) {
        uint64_t of_a = a->ticks[turn / a->stride], of_b = b->ticks[turn / b->stride];

        if (of_a != SERIES_NONE && of_b != SERIES_NONE && of_b)
            values[n++] = of_a * 1000 * b->operations / (of_b * a->operations * (uint64_t)times);
    }
    return spread_of(values, n);
}

/* ---- the report ---- */

static const struct {
    const char *name;
    unsigned num, den;
    unsigned least; /* samples of which it says something */
} percentiles[] = {
    { "p50", 1, 2, 1 },
    { "p90", 9, 10, 10 },
    { "p99", 99, 100, 100 },
    { "p99.9", 999, 1000, 1000 },
    { "p99.99", 9999, 10000, 10000 },
};

static void report_outliers(struct json *j, const struct series *s)
{
    uint64_t twice = 2 * hist_percentile(&s->ns, 1, 2);

    json_array(j, "outliers");
    for (unsigned i = 0; i < s->slowest_count; i++) {
        const struct sample *slow = &s->slowest[i];
        uint64_t ns = time_ticks_to_ns(slow->ticks) / s->operations;

        if (ns <= twice)
            break;
        json_object(j, NULL);
        json_uint(j, "tsc", slow->begin);
        json_uint(j, "ns", ns);
        json_uint(j, "core", slow->core);
        json_string(j, "cause", cause_name(slow->cause));
        json_object_end(j);
    }
    json_array_end(j);
}

void series_report(struct json *j, const struct series *s)
{
    json_object(j, s->name);
    json_uint(j, "n", s->ns.count);
    json_uint(j, "left_out", s->left_out);
    json_uint(j, "smis", s->smis);
    json_uint(j, "min", s->ns.min);
    for (unsigned i = 0; i < sizeof percentiles / sizeof percentiles[0]; i++)
        if (s->ns.count >= percentiles[i].least)
            json_uint(j, percentiles[i].name,
                      hist_percentile(&s->ns, percentiles[i].num, percentiles[i].den));
    json_uint(j, "max", s->ns.max);
    report_outliers(j, s);
    json_object_end(j);
}

/* SPDX-License-Identifier: MIT */
#include "kernel/lib/fmt.h"
#include "kernel/time/time.h"
#include "tests/latency/measure.h"
#include "tests/latency/patch_samples.h"
#include "tests/lib/figure.h"

static void report_cores(struct json *j, const struct patch_samples *m)
{
    json_array(j, "cores");
    for (unsigned core = 1; core < CORES_SHOWN; core++) {
        const struct hist *first = &m->core_first_new[core], *last = &m->core_last_old[core];

        if (!first->count)
            continue;
        json_object(j, NULL);
        json_uint(j, "core", core);
        json_uint(j, "n", first->count);
        json_uint(j, "first_new_p50", hist_percentile(first, 1, 2));
        json_uint(j, "first_new_p99", hist_percentile(first, 99, 100));
        json_uint(j, "last_old_p50", hist_percentile(last, 1, 2));
        json_uint(j, "last_old_p99", hist_percentile(last, 99, 100));
        json_uint(j, "last_old_max", last->max);
        json_object_end(j);
    }
    json_array_end(j);
}

static void report_series(struct json *j, const struct patch_samples *m)
{
    json_object(j, "series");
    for (unsigned i = 0; i < SITES; i++)
        series_report(j, &m->patch[i]);
    series_report(j, &m->one_sync);
    series_report(j, &m->three_syncs);
    if (m->three_calls.turns)
        series_report(j, &m->three_calls);
    series_report(j, &m->first_new);
    series_report(j, &m->last_old);
    json_object(j, "phases");
    for (unsigned i = 0; i < POKE_STEPS_MAX && m->phase[i].name; i++)
        series_report(j, &m->phase[i]);
    json_object_end(j);
    json_object_end(j);
}

static void report_figures(struct test_run *t, struct patch_samples *m)
{
    const struct hist *h = &m->patch[STRADDLING].ns;
    struct spread hits = spread_of(m->hits, m->turns);
    char name[40];

    figures_begin(t);
    figure_of_series(t, "patch.straddling", &m->patch[STRADDLING]);
    figure_of_series(t, "patch.aligned", &m->patch[ALIGNED]);
    figure_of_ratio(t, "patch.over_broadcast", &m->patch[STRADDLING], &m->one_sync, 1);
    figure_of_ratio(t, "patch.over_three_syncs", &m->patch[STRADDLING],
                    m->three_calls.turns ? &m->three_calls : &m->three_syncs, 1);
    if (m->three_calls.turns) /* what the engine's rounds cost beyond the calls */
        figure_of_ratio(t, "patch.three_syncs_over_membarriers", &m->three_syncs, &m->three_calls,
                        1);
    if (h->count >= 100) {
        uint64_t tail = hist_percentile(h, 99, 100) * 1000 / hist_percentile(h, 1, 2);

        figure_sampled(t, "patch.p99_over_p50", "ratio", tail, tail, tail, h->count);
    }
    figure_of_series(t, "patch.first_new", &m->first_new);
    figure_of_series(t, "patch.last_old", &m->last_old);
    figure_of_spread(t, "patch.int3_hits", "hits", &hits);
    for (unsigned i = 0; i < POKE_STEPS_MAX && m->phase[i].name; i++) {
        fmt_print(name, sizeof name, "patch.phase.%s", m->phase[i].name);
        figure_of_series(t, name, &m->phase[i]);
    }
    figures_end(t);
}

void patch_report(struct test_run *t, struct patch_samples *m)
{
    struct json *j = &t->data;

    measure_report_trust(t);
    json_uint(j, "old_after_new", m->returns);
    json_uint(j, "int3_hits", m->hit_count);
    if (m->hit_count)
        json_uint(j, "int3_execution_mean_ns", time_ticks_to_ns(m->hit_ticks) / m->hit_count);
    report_series(j, m);
    report_cores(j, m);
    report_figures(t, m);
    test_hist(t, "straddling", &m->patch[STRADDLING].ns);
    test_hist(t, "first_new", &m->first_new.ns);
    test_hist(t, "last_old", &m->last_old.ns);
}

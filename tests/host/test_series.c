/* SPDX-License-Identifier: MIT */
/* The statistics of tests/latency/, on distributions that are known. */
#include "tests/host/host_test.h"

#include "kernel/time/time.h"
#include "tests/latency/series.h"

#define TICK_NS 2 /* of the machine below */

uint64_t time_ticks_to_ns(uint64_t ticks)
{
    return ticks * TICK_NS;
}

static struct series a, b;

static void add(struct series *s, uint64_t ticks, enum cause cause)
{
    struct sample sample = { .begin = 1000 + s->turns, .ticks = ticks, .core = 3, .cause = cause };

    series_add(s, &sample);
}

static int by_value(const void *x, const void *y)
{
    uint64_t v = *(const uint64_t *)x, w = *(const uint64_t *)y;

    return (v > w) - (v < w);
}

/* ---- spread ---- */

static void spread_against_sorting(void **state)
{
    struct prng random = { FUZZ_SEED };

    (void)state;
    for (unsigned n = 1; n <= 300; n++) {
        uint64_t values[300], sorted[300];

        for (unsigned i = 0; i < n; i++)
            values[i] = sorted[i] = prng_below(&random, n % 3 ? 1000 : 4); /* and many equal ones */
        qsort(sorted, n, sizeof sorted[0], by_value);
        struct spread s = spread_of(values, n);
        assert_memory_equal(values, sorted, n * sizeof values[0]);
        assert_int_equal(s.n, n);
        assert_int_equal(s.median, sorted[(n + 1) / 2 - 1]);
        assert_int_equal(s.low, sorted[(n + 3) / 4 - 1]);
        assert_int_equal(s.high, sorted[(3 * n + 3) / 4 - 1]);
    }
}

static void spread_of_nothing(void **state)
{
    struct spread s = spread_of(NULL, 0);

    (void)state;
    assert_int_equal(s.n, 0);
    assert_int_equal(s.median, 0);
}

/* ---- series ---- */

static void known_distribution(void **state)
{
    (void)state;
    series_init(&a, "a", 4);
    for (unsigned i = 1; i <= 99; i++)
        add(&a, i * 40, CAUSE_UNKNOWN); /* i * 20 ns per operation */
    struct spread s = series_spread(&a);
    assert_int_equal(s.median, 50 * 20 * 1000);
    assert_int_equal(s.low, 25 * 20 * 1000);
    assert_int_equal(s.high, 75 * 20 * 1000);
    assert_int_equal(a.ns.min, 20);
    assert_int_equal(a.ns.max, 99 * 20);
}

/* Noise that both see does not show in the ratio of pairs; what one lacks leaves the pair out. */
static void ratio_of_pairs(void **state)
{
    struct prng random = { FUZZ_SEED };

    (void)state;
    series_init(&a, "a", 1);
    series_init(&b, "b", 2);
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t noise = 100 + prng_below(&random, 10000);

        add(&a, 3 * noise, CAUSE_UNKNOWN);
        if (i % 10 == 0)
            series_skip(&b);
        else
            add(&b, 4 * noise, i % 10 == 1 ? CAUSE_PREEMPTION : CAUSE_TIMER);
    }
    struct spread s = series_ratio(&a, &b, 1); /* 3 over 4 / 2 */
    assert_int_equal(s.n, 800);
    assert_int_equal(s.median, 1500);
    assert_int_equal(s.low, 1500);
    assert_int_equal(s.high, 1500);
    assert_int_equal(series_ratio(&a, &b, 3).median, 500);
    assert_int_equal(b.left_out, 200);
    assert_int_equal(b.ns.count, 800);
}

/* Then they come from the whole time, and turns still belong together. */
static void more_turns_than_are_kept(void **state)
{
    const unsigned turns = 5 * SERIES_TURNS + 3;

    (void)state;
    series_init(&a, "a", 1);
    series_init(&b, "b", 1);
    for (unsigned i = 0; i < turns; i++) {
        add(&a, 2 * (i + 1), CAUSE_UNKNOWN);
        add(&b, i + 1, CAUSE_UNKNOWN);
        if (i == 2 * SERIES_TURNS) { /* one of them is thinned out first */
            add(&a, 2 * (i + 2), CAUSE_UNKNOWN);
            assert_int_equal(series_ratio(&a, &b, 1).low, 2000);
            assert_int_equal(series_ratio(&b, &a, 1).high, 500);
            add(&b, i + 2, CAUSE_UNKNOWN);
            i++;
        }
    }
    struct spread s = series_spread(&a), ratio = series_ratio(&a, &b, 1);
    assert_in_range(s.n, SERIES_TURNS / 2, SERIES_TURNS);
    assert_in_range(s.median, turns * TICK_NS * 990ull, turns * TICK_NS * 1010ull);
    assert_int_equal(ratio.low, 2000);
    assert_int_equal(ratio.high, 2000);
    assert_int_equal(a.ns.count, turns);
    assert_int_equal(a.ns.max, 2 * turns * TICK_NS);
}

static void zero_is_a_time(void **state)
{
    (void)state;
    series_init(&a, "a", 1);
    series_init(&b, "b", 1);
    add(&a, 0, CAUSE_UNKNOWN);
    add(&b, 0, CAUSE_UNKNOWN);
    assert_int_equal(series_spread(&a).n, 1);
    assert_int_equal(series_ratio(&a, &b, 1).n, 0); /* but no divisor */
}

/* ---- outliers ---- */

static const char *report_of(const struct series *s)
{
    static char text[4096];
    struct json j;

    json_init(&j, text, sizeof text);
    json_object(&j, NULL);
    series_report(&j, s);
    json_object_end(&j);
    return json_end(&j);
}

/* Planted among 500 quiet samples: it appears with its time stamp, core and cause, alone. */
static void planted_outlier(void **state)
{
    static const char *const want[CAUSES] = { "preemption", "smi", "nmi", "timer", "unknown" };

    (void)state;
    for (unsigned cause = 0; cause < CAUSES; cause++) {
        char outlier[128];

        series_init(&a, "a", 1);
        for (unsigned i = 0; i < 500; i++)
            add(&a, i == 321 ? 5000 : 50 + i % 7, i == 321 ? cause : CAUSE_UNKNOWN);
        snprintf(outlier, sizeof outlier,
                 "\"outliers\":[{\"tsc\":1321,\"ns\":10000,\"core\":3,\"cause\":\"%s\"}]",
                 want[cause]);
        assert_non_null(strstr(report_of(&a), outlier));
        assert_int_equal(a.left_out, cause == CAUSE_PREEMPTION);
        assert_int_equal(a.smis, cause == CAUSE_SMI);
        assert_int_equal(a.ns.max == 10000, cause != CAUSE_PREEMPTION);
    }
}

static void no_outlier(void **state)
{
    (void)state;
    series_init(&a, "a", 1);
    for (unsigned i = 0; i < 500; i++)
        add(&a, 50 + i % 7, CAUSE_UNKNOWN);
    assert_non_null(strstr(report_of(&a), "\"outliers\":[]"));
}

static void slowest_are_kept(void **state)
{
    struct prng random = { FUZZ_SEED };
    uint64_t all[1000];

    (void)state;
    series_init(&a, "a", 1);
    for (unsigned i = 0; i < 1000; i++)
        add(&a, all[i] = prng_below(&random, 100000), CAUSE_UNKNOWN);
    qsort(all, 1000, sizeof all[0], by_value);
    assert_int_equal(a.slowest_count, SERIES_OUTLIERS);
    for (unsigned i = 0; i < SERIES_OUTLIERS; i++)
        assert_int_equal(a.slowest[i].ticks, all[999 - i]);
}

/* A percentile is reported from so many samples on as it can tell apart. */
static void percentiles_need_samples(void **state)
{
    (void)state;
    series_init(&a, "a", 1);
    for (unsigned i = 0; i < 999; i++)
        add(&a, 50, CAUSE_UNKNOWN);
    assert_non_null(strstr(report_of(&a), "\"p99\":"));
    assert_null(strstr(report_of(&a), "\"p99.9\":"));
    add(&a, 50, CAUSE_UNKNOWN);
    assert_non_null(strstr(report_of(&a), "\"p99.9\":"));
    assert_null(strstr(report_of(&a), "\"p99.99\":"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spread_against_sorting),   cmocka_unit_test(spread_of_nothing),
        cmocka_unit_test(known_distribution),       cmocka_unit_test(ratio_of_pairs),
        cmocka_unit_test(more_turns_than_are_kept), cmocka_unit_test(zero_is_a_time),
        cmocka_unit_test(planted_outlier),          cmocka_unit_test(no_outlier),
        cmocka_unit_test(slowest_are_kept),         cmocka_unit_test(percentiles_need_samples),
    };

    return cmocka_run_group_tests_name("series", tests, NULL, NULL);
}

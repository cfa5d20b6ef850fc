/* SPDX-License-Identifier: MIT */
#include "tests/host/host_test.h"

#include "kernel/lib/hist.h"

#define SAMPLES 10000

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void index_and_bound_agree(void **state)
{
    (void)state;
    for (unsigned power = 0; power < 64; power++) {
        for (int around = -2; around <= 2; around++) {
            uint64_t sample = (1ull << power) + (uint64_t)around;
            unsigned index = hist_index(sample);

            assert_true(index < HIST_BUCKETS);
            assert_true(hist_lower(index) <= sample);
            if (index + 1 < HIST_BUCKETS)
                assert_true(hist_lower(index + 1) > sample);
            /* A bucket is no wider than a 32nd of what is in it. */
            assert_true(sample - hist_lower(index) <= sample / 32);
        }
    }
    assert_int_equal(hist_index(UINT64_MAX), HIST_BUCKETS - 1);
    for (unsigned index = 0; index < HIST_BUCKETS; index++)
        assert_int_equal(hist_index(hist_lower(index)), index);
}

/* `sorted`: the same samples in rising order. */
static void check_percentiles(const struct hist *h, const uint64_t *sorted, unsigned n)
{
    static const unsigned parts[][2] = { { 0, 1 },    { 1, 100 },    { 1, 2 },        { 9, 10 },
                                         { 99, 100 }, { 999, 1000 }, { 9999, 10000 }, { 1, 1 } };

    for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        unsigned num = parts[i][0], den = parts[i][1];
        unsigned rank = (unsigned)(((uint64_t)n * num + den - 1) / den);
        uint64_t exact = sorted[rank ? rank - 1 : 0];
        uint64_t got = hist_percentile(h, num, den);

        assert_in_range(got, exact, exact + exact / 32);
    }
    assert_int_equal(h->min, sorted[0]);
    assert_int_equal(h->max, sorted[n - 1]);
    assert_int_equal(hist_percentile(h, 1, 1), sorted[n - 1]);
    assert_int_equal(hist_percentile(h, 0, 1), sorted[0]);
}

static void percentiles_against_sorting(void **state)
{
    static uint64_t samples[SAMPLES];
    struct prng random = { FUZZ_SEED };
    struct hist whole, half;

    (void)state;
    for (unsigned spread = 4; spread <= 60; spread += 14) {
        hist_init(&whole);
        hist_init(&half);
        for (unsigned i = 0; i < SAMPLES; i++) {
            samples[i] = prng_next(&random) >> (64 - spread) >> prng_below(&random, spread);
            hist_add(i % 2 ? &half : &whole, samples[i]);
        }
        hist_merge(&whole, &half);
        assert_int_equal(whole.count, SAMPLES);

        uint64_t sum = 0;
        for (unsigned i = 0; i < SAMPLES; i++)
            sum += samples[i];
        assert_int_equal(whole.sum, sum);
        qsort(samples, SAMPLES, sizeof(samples[0]), by_value);
        check_percentiles(&whole, samples, SAMPLES);
    }
}

static void empty_and_single(void **state)
{
    struct hist h, empty;

    (void)state;
    hist_init(&h);
    hist_init(&empty);
    assert_int_equal(hist_percentile(&h, 1, 2), 0);
    hist_merge(&h, &empty);
    assert_int_equal(h.count, 0);

    hist_add(&h, UINT64_MAX);
    assert_int_equal(h.min, UINT64_MAX);
    assert_int_equal(hist_percentile(&h, 0, 1), UINT64_MAX);
    assert_int_equal(hist_percentile(&h, 1, 1), UINT64_MAX);
    hist_merge(&h, &empty);
    assert_int_equal(h.min, UINT64_MAX);

    hist_add(&h, 0);
    assert_int_equal(h.min, 0);
    assert_int_equal(hist_percentile(&h, 1, 2), 0);
    assert_int_equal(hist_percentile(&h, 51, 100), UINT64_MAX);
}

/* A bucket that cannot count further stays full, and the maximum is still right. */
static void full_bucket(void **state)
{
    struct hist h, more;

    (void)state;
    hist_init(&h);
    hist_init(&more);
    hist_add(&h, 7);
    hist_add(&more, 7);
    h.buckets[7] = UINT32_MAX;
    h.count = UINT32_MAX;
    hist_merge(&h, &more);
    assert_int_equal(h.buckets[7], UINT32_MAX);
    hist_add(&h, 7);
    assert_int_equal(h.buckets[7], UINT32_MAX);
    assert_int_equal(hist_percentile(&h, 1, 1), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(index_and_bound_agree),
        cmocka_unit_test(percentiles_against_sorting),
        cmocka_unit_test(empty_and_single),
        cmocka_unit_test(full_bucket),
    };

    return cmocka_run_group_tests_name("hist", tests, NULL, NULL);
}

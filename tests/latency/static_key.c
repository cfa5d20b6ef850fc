/* SPDX-License-Identifier: MIT */
/*
 * How long it takes to switch a static key, by the number of its sites, beside a bare round of core
 * sync.
 */
#include "poke/users/jump_label.h"

#include "kernel/time/time.h"
#include "smp/smp.h"
#include "tests/latency/ground.h"
#include "tests/latency/spread.h"
#include "tests/lib/figure.h"
#include "tests/lib/long_key.h"
#include "tests/lib/others.h"

#define TURNS_MOST  64u
#define TURNS_LEAST 4u

static const struct {
    unsigned sites;
    const char *time, *ratio; /* figures */
} sizes[] = {
    { 1, "users.key_switch_1", "users.key_switch_over_sync_1" },
    { 16, "users.key_switch_16", "users.key_switch_over_sync_16" },
    { 256, "users.key_switch_256", "users.key_switch_over_sync_256" },
    { 1024, "users.key_switch_1024", "users.key_switch_over_sync_1024" },
    { 10000, "users.key_switch_10000", "users.key_switch_over_sync_10000" },
};
#define SIZES (sizeof sizes / sizeof sizes[0])

static struct static_key keys[SIZES];
static uint64_t times[SIZES][TURNS_MOST], ratios[SIZES][TURNS_MOST];

static bool make_keys(void)
{
    for (unsigned i = 0; i < SIZES; i++)
        if (!keys[i].count && !long_key_make(&keys[i], sizes[i].sites))
            return false;
    return true;
}

static uint64_t time_sync(void)
{
    uint64_t begin = rdtsc();

    smp_text_poke_sync_each_cpu();
    return rdtsc() - begin;
}

static enum poke_error take_turn(unsigned turn)
{
    enum poke_error e = POKE_OK;

    for (unsigned i = 0; i < SIZES && !e; i++) {
        uint64_t sync = time_sync(), begin = rdtsc();

        e = turn % 2 ? static_key_disable(&keys[i]) : static_key_enable(&keys[i]);
        uint64_t took = rdtsc() - begin;
        times[i][turn] = time_ticks_to_ns(took) * 1000;
        ratios[i][turn] = took * 1000 / (sync ? sync : 1);
        cpu_relax();
    }
    return e;
}

static void report(struct test_run *t, unsigned turns)
{
    figures_begin(t);
    for (unsigned i = 0; i < SIZES; i++) {
        struct spread time = spread_of(times[i], turns), ratio = spread_of(ratios[i], turns);

        figure_sampled(t, sizes[i].time, "ns", time.median, time.low, time.high, time.n);
        figure_sampled(t, sizes[i].ratio, "ratio", ratio.median, ratio.low, ratio.high, ratio.n);
    }
    figures_end(t);
}

TEST_BARE("text of its own that can be patched", latency, static_key,
          "how long a static key of 1 to 10 000 sites takes to switch", .budget_ms = 400,
          .default_ms = 200, .must_see = { { SEE_PATCHES, TURNS_LEAST * 10000 } })
{
    uint64_t sites = poke_counters()->sites;
    enum poke_error e = POKE_OK;
    unsigned turns = 0;

    REQUIRE(make_keys());
    others_keep_busy(t);
    ground_check_order(false);
    for (uint64_t end = rdtsc() + time_ns_to_ticks(test_duration_ms(t) * 1000000);
         !e && turns < TURNS_MOST && (rdtsc() < end || turns < TURNS_LEAST || turns % 2); turns++)
        e = take_turn(turns);
    ground_check_order(true);
    others_stop();

    EXPECT_EQ(e, POKE_OK);
    saw(SEE_PATCHES, poke_counters()->sites - sites);
    json_uint(&t->data, "turns", turns);
    report(t, turns);
}

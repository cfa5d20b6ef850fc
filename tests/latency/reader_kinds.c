/* SPDX-License-Identifier: MIT */
/*
 * What a patch costs by what the other cores do: wait for work, call the site in a loop, or that
 * and take timer interrupts that call it too. The kinds follow each other in short turns.
 */
#include "kernel/time/time.h"
#include "smp/smp.h"
#include "tests/harness/test.h"
#include "tests/latency/measure.h"
#include "tests/latency/readers.h"
#include "tests/latency/timed.h"
#include "tests/lib/figure.h"
#include "tests/lib/int3_counts.h"
#include "tests/lib/patience.h"

#define PER_TURN 10 /* patches */
#define LEAST    20 /* of each kind */

static struct kind {
    struct series patch;
    uint64_t patches, int3_hits;
    struct executions executions;
} kinds[READERS_KINDS];

static void take(struct test_run *t, struct kind *k, enum image image)
{
    text_mutex_lock();
    EXPECT_EQ(timed_patch(&k->patch, LAYOUT_PAGE, 1, image), POKE_OK);
    text_mutex_unlock();
    k->patches++;
    saw(SEE_PATCHES, 1);
}

/* Some patches under each kind of readers. */
static bool take_turn(struct test_run *t)
{
    for (unsigned i = 0; i < READERS_KINDS; i++) {
        struct kind *k = &kinds[i];

        if (!readers_start(t, (enum readers)i, LAYOUT_PAGE, 1))
            return false;
        uint64_t hits = int3_counts().hits;
        for (unsigned n = 0; n < PER_TURN; n++) {
            take(t, k, n % 2 ? IMAGE_NOP : IMAGE_JUMP);
            cpu_relax();
        }
        readers_stop();
        k->int3_hits += int3_counts().hits - hits;
        k->executions.thread += readers_executions().thread;
        k->executions.timer += readers_executions().timer;
        EXPECT(ground_holds(LAYOUT_PAGE, 1, IMAGE_NOP));
    }
    return true;
}

static bool is_enough(void)
{
    for (unsigned i = 0; i < READERS_KINDS; i++)
        if (timed_kept(&kinds[i].patch) < LEAST)
            return false;
    return true;
}

static void report(struct test_run *t)
{
    static const char *const figures[READERS_KINDS] = {
        [READERS_HALTED] = "patch.others_halted",
        [READERS_LOOPING] = "patch.others_looping",
        [READERS_INTERRUPTED] = "patch.others_interrupted",
    };

    measure_report_trust(t);
    json_uint(&t->data, "timer_us", readers_timer_us());
    json_array(&t->data, "kinds");
    for (unsigned i = 0; i < READERS_KINDS; i++) {
        const struct kind *k = &kinds[i];

        json_object(&t->data, NULL);
        json_string(&t->data, "readers", readers_name((enum readers)i));
        json_uint(&t->data, "patches", k->patches);
        json_uint(&t->data, "int3_hits", k->int3_hits);
        json_uint(&t->data, "executions", k->executions.thread);
        json_uint(&t->data, "timer_executions", k->executions.timer);
        series_report(&t->data, &k->patch);
        json_object_end(&t->data);
    }
    json_array_end(&t->data);
    figures_begin(t);
    for (unsigned i = 0; i < READERS_KINDS; i++)
        figure_of_series(t, figures[i], &kinds[i].patch);
    figure_of_ratio(t, "patch.looping_over_halted", &kinds[READERS_LOOPING].patch,
                    &kinds[READERS_HALTED].patch, 1);
    figure_of_ratio(t, "patch.interrupted_over_looping", &kinds[READERS_INTERRUPTED].patch,
                    &kinds[READERS_LOOPING].patch, 1);
    figures_end(t);
    saw(SEE_EXECUTIONS, kinds[READERS_LOOPING].executions.thread);
    saw(SEE_TIMER_EXECUTIONS, kinds[READERS_INTERRUPTED].executions.timer);
    saw(SEE_INT3_HITS, kinds[READERS_LOOPING].int3_hits);
}

TEST(latency, readers, "what a patch costs while others wait, run its site, or are interrupted",
     .cpus = 2, .budget_ms = 800, .default_ms = 300,
     .must_see = { { SEE_PATCHES, 30 }, { SEE_EXECUTIONS, 1000 }, { SEE_TIMER_EXECUTIONS, 10 } })
{
    unsigned ms = (unsigned)test_duration_ms(t);
    bool ok = true;

    REQUIRE(ground_prepare());
    measure_init();
    for (unsigned i = 0; i < READERS_KINDS; i++) {
        kinds[i].patches = kinds[i].int3_hits = 0;
        kinds[i].executions = (struct executions){ 0 };
        series_init(&kinds[i].patch, "patch", 1);
    }
    ground_check_order(false);
    uint64_t begin = rdtsc();
    for (unsigned turn = 0; ok && !loop_is_over(begin, ms, is_enough()); turn++)
        ok = take_turn(t);
    ground_check_order(true);
    if (ok)
        report(t);
}

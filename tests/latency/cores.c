/* SPDX-License-Identifier: MIT */
/*
 * How a patch and a bare broadcast grow with the number of cores that run: the others are parked.
 * What runs executes the site. A patch and a broadcast are taken in turn; what is counted for each
 * number of cores does not depend on the machine.
 */
#include "kernel/lib/fmt.h"
#include "kernel/time/time.h"
#include "smp/smp.h"
#include "tests/harness/test.h"
#include "tests/latency/counts.h"
#include "tests/latency/measure.h"
#include "tests/latency/readers.h"
#include "tests/latency/timed.h"
#include "tests/lib/figure.h"
#include "tests/lib/int3_counts.h"
#include "tests/lib/patience.h"

#define STEPS_MAX   16 /* 1, 2, 3, 4, 6, 8, 12, 16 ... and all */
#define TURNS_LEAST 3

static struct step {
    unsigned cores;
    struct spread patch, broadcast, ratio, hits; /* thousandths of ns, 1, INT3s per patch */
    uint64_t patches, broadcasts, acknowledgements;
} steps[STEPS_MAX];

static struct series patch, broadcast;
/* INT3s that all cores met in a patch, in thousandths; of the patches that are not left out. */
static uint64_t int3_hits[SERIES_TURNS];
static unsigned hit_counts;

/* ---- cores that take no part ---- */

static void park_here(__attribute__((unused)) void *arg)
{
    smp_park();
}

/* Leave `wanted` cores online, those of the lowest numbers. */
static bool park_beyond(unsigned wanted)
{
    unsigned online = 0;

    for_each_online_cpu (i) {
        if (++online <= wanted)
            continue;
        if (!smp_start_work((unsigned)i, park_here, NULL))
            return false;
        while (smp_is_online((unsigned)i))
            cpu_relax();
    }
    return true;
}

static void unpark_all(void)
{
    for (unsigned i = 1; i < smp_possible(); i++)
        if (smp_unpark(i))
            smp_wait_work(i);
}

/* ---- one number of cores ---- */

static void take_turn(struct test_run *t, struct step *s, enum image image)
{
    struct counts_taken c;

    text_mutex_lock();
    uint64_t hits = int3_counts().hits;
    unsigned kept = timed_kept(&patch);

    counts_begin(&c);
    EXPECT_EQ(timed_patch(&patch, LAYOUT_PAGE, 1, image), POKE_OK);
    counts_end(&c);
    hits = int3_counts().hits - hits;
    if (timed_kept(&patch) > kept && hit_counts < SERIES_TURNS)
        int3_hits[hit_counts++] = 1000 * hits;
    timed_broadcast(&broadcast);
    text_mutex_unlock();

    s->patches++;
    s->broadcasts += c.ipis.sync_broadcasts;
    s->acknowledgements += c.ipis.sync_acks;
    if (c.ipis.sync_acks > c.ipis.sync_broadcasts * s->cores)
        FAIL("%llu acknowledgements of %llu broadcasts with %u cores",
             (unsigned long long)c.ipis.sync_acks, (unsigned long long)c.ipis.sync_broadcasts,
             s->cores);
    saw(SEE_PATCHES, 1);
}

static bool take_step(struct test_run *t, struct step *s, unsigned ms)
{
    series_init(&patch, "patch", 1);
    series_init(&broadcast, "broadcast", 1);
    hit_counts = 0;
    if (!readers_start(t, READERS_LOOPING, LAYOUT_PAGE, 1))
        return false;
    uint64_t begin = rdtsc();
    for (unsigned turn = 0; !loop_is_over(begin, ms, timed_kept(&patch) >= TURNS_LEAST); turn++) {
        take_turn(t, s, turn % 2 ? IMAGE_NOP : IMAGE_JUMP);
        EXPECT(ground_holds(LAYOUT_PAGE, 1, turn % 2 ? IMAGE_NOP : IMAGE_JUMP));
    }
    readers_stop();
    saw(SEE_EXECUTIONS, readers_executions().thread);

    json_object(&t->data, NULL);
    json_uint(&t->data, "cores", s->cores);
    series_report(&t->data, &patch);
    series_report(&t->data, &broadcast);
    json_object_end(&t->data);
    s->patch = series_spread(&patch);
    s->broadcast = series_spread(&broadcast);
    s->ratio = series_ratio(&patch, &broadcast, 1);
    s->hits = spread_of(int3_hits, hit_counts);
    return true;
}

/* ---- all of them ---- */

/* 1, 2, 3, 4, 6, 8, 12, 16, 24 ...: two for each power of two. */
static unsigned next_count(unsigned n)
{
    if (n < 4)
        return n + 1;
    return n & (n - 1) ? n / 3 * 4 : n / 2 * 3;
}

static unsigned choose_steps(void)
{
    unsigned n = 0, all = smp_online();

    for (unsigned cores = 1; cores < all && n + 1 < STEPS_MAX; cores = next_count(cores))
        steps[n++] = (struct step){ .cores = cores };
    steps[n++] = (struct step){ .cores = all };
    return n;
}

static void figure_of_step(struct test_run *t, const char *what, unsigned cores, const char *unit,
                           const struct spread *s)
{
    char name[48];

    fmt_print(name, sizeof name, "scaling.%s_%u", what, cores);
    figure_of_spread(t, name, unit, s);
}

static void figures_of(struct test_run *t, const struct step *s)
{
    char name[48];

    fmt_print(name, sizeof name, "scaling.broadcasts_per_patch_%u", s->cores);
    figure_count(t, name, "broadcasts", s->broadcasts * 1000 / s->patches);
    fmt_print(name, sizeof name, "scaling.acknowledgements_per_patch_%u", s->cores);
    figure_count(t, name, "acknowledgements", s->acknowledgements * 1000 / s->patches);
    figure_of_step(t, "patch", s->cores, "ns", &s->patch);
    figure_of_step(t, "broadcast", s->cores, "ns", &s->broadcast);
    figure_of_step(t, "patch_over_broadcast", s->cores, "ratio", &s->ratio);
    figure_of_step(t, "int3_hits_per_patch", s->cores, "hits", &s->hits);
}

TEST(latency, cores, "what a patch and a bare broadcast cost by the number of cores that run",
     .cpus = 2, .budget_ms = 2500, .default_ms = 400,
     .must_see = { { SEE_PATCHES, 9 }, { SEE_EXECUTIONS, 1000 } })
{
    bool ok = true;

    REQUIRE(ground_prepare());
    measure_init();
    measure_report_trust(t);
    unsigned n = choose_steps();

    ground_check_order(false);
    json_array(&t->data, "steps");
    for (unsigned i = n; i-- > 0 && ok;) { /* from all downwards: none has to come back meanwhile */
        ok = park_beyond(steps[i].cores) &&
             take_step(t, &steps[i], (unsigned)test_duration_ms(t) / n);
    }
    json_array_end(&t->data);
    unpark_all();
    ground_check_order(true);
    if (!ok)
        ERROR("a core could not be parked, or made to read");
    figures_begin(t);
    for (unsigned i = 0; i < n && ok; i++)
        figures_of(t, &steps[i]);
    figures_end(t);
}

/* SPDX-License-Identifier: MIT */
/*
 * How long a batch takes by its size, its sites side by side in lines, in a page or each in a page
 * of its own. Sizes beyond TEXT_POKE_ARRAY_MAX are several batches, one after the other.
 *
 * All sizes of a case are sampled in turn, so that a ratio is of times that lie side by side.
 */
#include "kernel/time/time.h"
#include "smp/smp.h"
#include "tests/harness/test.h"
#include "tests/latency/measure.h"
#include "tests/latency/readers.h"
#include "tests/latency/timed.h"
#include "tests/lib/figure.h"
#include "tests/lib/patience.h"

#define FULL        TEXT_POKE_ARRAY_MAX
#define LARGE_EVERY 16 /* turns */
#define TURNS_LEAST 4
/* With so many cores, each of whom has its part in a sync, the largest is one full batch. */
#define MANY_CORES 16

enum { SIZE_1, SIZE_16 = 4, SIZE_FULL = 8, SIZES = 13 };

static unsigned size_of(unsigned i)
{
    return 1u << i;
}

_Static_assert(1u << SIZE_FULL == FULL && 1u << (SIZES - 1) == GROUND_SITES, "sizes");

static const struct batch_case {
    enum layout layout;
    enum readers readers;
    const char *amortisation, *further; /* figures */
} cases[] = {
    { LAYOUT_PAGE, READERS_LOOPING, "batch.amortisation", "batch.further_site" },
    { LAYOUT_DENSE, READERS_LOOPING, "batch.amortisation_line", "batch.further_site_line" },
    { LAYOUT_PAGES, READERS_LOOPING, "batch.amortisation_pages", "batch.further_site_pages" },
    { LAYOUT_PAGE, READERS_HALTED, "batch.amortisation_halted", "batch.further_site_halted" },
};
#define CASES (sizeof cases / sizeof cases[0])

/* One case at a time; its figures are kept. */
static struct series series[SIZES];
static struct spread amortisation[CASES], further[CASES];

static const char *const size_names[SIZES] = { "1",   "2",   "4",   "8",    "16",   "32",  "64",
                                               "128", "256", "512", "1024", "2048", "4096" };

static void take(struct test_run *t, const struct batch_case *c, unsigned i, enum image image)
{
    text_mutex_lock();
    EXPECT_EQ(timed_patch(&series[i], c->layout, size_of(i), image), POKE_OK);
    text_mutex_unlock();
    saw(SEE_PATCHES, size_of(i));
}

/* Each size changes all of its sites: those of the one before hold the other image. */
static void take_turn(struct test_run *t, const struct batch_case *c, unsigned largest)
{
    for (unsigned i = 0; i <= largest; i++) {
        take(t, c, i, i % 2 ? IMAGE_NOP : IMAGE_JUMP);
        cpu_relax();
    }
    EXPECT(ground_holds(c->layout, size_of(largest), largest % 2 ? IMAGE_NOP : IMAGE_JUMP));
}

/* The sizes beyond a full batch come first, and then in every so many turns. */
static unsigned take_turns(struct test_run *t, const struct batch_case *c, unsigned ms)
{
    unsigned largest = smp_online() <= MANY_CORES ? SIZES - 1 : SIZE_FULL, turn = 1;

    take_turn(t, c, largest);
    for (uint64_t begin = rdtsc();
         !loop_is_over(begin, ms, timed_kept(&series[SIZE_FULL]) >= TURNS_LEAST); turn++)
        take_turn(t, c, turn % LARGE_EVERY ? SIZE_FULL : largest);
    return turn;
}

/* Of the samples of one turn: what each site beyond the 16th adds. */
static struct spread further_site(void)
{
    static uint64_t values[SERIES_TURNS];
    const uint64_t *many = series[SIZE_FULL].ticks, *few = series[SIZE_16].ticks;
    unsigned n = 0;

    for (unsigned i = 0; i < series[SIZE_FULL].turns && i < SERIES_TURNS; i++)
        if (few[i] != SERIES_NONE && many[i] != SERIES_NONE && many[i] > few[i])
            values[n++] = time_ticks_to_ns((many[i] - few[i]) * 1000) / (FULL - size_of(SIZE_16));
    return spread_of(values, n);
}

static bool run_case(struct test_run *t, unsigned number, unsigned ms)
{
    const struct batch_case *c = &cases[number];

    for (unsigned i = 0; i < SIZES; i++)
        series_init(&series[i], size_names[i], 1);
    if (!readers_start(t, c->readers, c->layout, FULL))
        return false;
    unsigned turns = take_turns(t, c, ms);
    readers_stop();

    json_object(&t->data, NULL);
    json_string(&t->data, "sites_in", layout_name(c->layout));
    json_string(&t->data, "readers", readers_name(c->readers));
    json_uint(&t->data, "turns", turns);
    json_uint(&t->data, "executions", readers_executions().thread);
    json_object(&t->data, "ns_by_size");
    for (unsigned i = 0; i < SIZES; i++)
        if (series[i].turns)
            series_report(&t->data, &series[i]);
    json_object_end(&t->data);
    json_object_end(&t->data);
    amortisation[number] = series_ratio(&series[SIZE_FULL], &series[SIZE_1], FULL);
    further[number] = further_site();
    saw(SEE_EXECUTIONS, readers_executions().thread);
    return true;
}

static void run_all(struct test_run *t)
{
    unsigned ms = (unsigned)(test_duration_ms(t) / CASES);
    bool ok = true;

    json_array(&t->data, "cases");
    for (unsigned i = 0; i < CASES && ok; i++)
        ok = run_case(t, i, ms);
    json_array_end(&t->data);
    figures_begin(t);
    for (unsigned i = 0; i < CASES && ok; i++) {
        figure_of_spread(t, cases[i].amortisation, "ratio", &amortisation[i]);
        figure_of_spread(t, cases[i].further, "ns", &further[i]);
    }
    figures_end(t);
}

TEST(latency, batch, "what a batch costs by its size and by where its sites lie", .cpus = 2,
     .budget_ms = 3000, .default_ms = 400,
     .must_see = { { SEE_PATCHES, 1500 }, { SEE_EXECUTIONS, 1000 } })
{
    REQUIRE(ground_prepare());
    measure_init();
    measure_report_trust(t);
    ground_check_order(false);
    run_all(t);
    ground_check_order(true);
}

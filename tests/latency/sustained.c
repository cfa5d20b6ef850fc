/* SPDX-License-Identifier: MIT */
/*
 * Patches without a pause, and at fixed rates below that, with the other cores halted and in a loop
 * over the site. All is taken in turns; a figure is the median of the turns, without those in which
 * readers had no processor to run on.
 */
#include "kernel/lib/string.h"
#include "kernel/time/time.h"
#include "smp/smp.h"
#include "tests/harness/test.h"
#include "tests/latency/ground.h"
#include "tests/latency/measure.h"
#include "tests/latency/pacing.h"
#include "tests/latency/readers.h"
#include "tests/lib/figure.h"

#define TURNS     5
#define BATCH     TEXT_POKE_ARRAY_MAX
#define KINDS     2 /* halted, looping */
#define PERCENTS  3
#define SEGMENTS  (TURNS * KINDS * (2 + PERCENTS))
#define PER_S     1000000000000ull /* thousandths, over ns */
#define FIGURE_AT 0                /* of percents[] */
/* A turn is left out if at more than one in ABSENT_PART looks a reader had not run. */
#define LOOK_EVERY  16 /* patches */
#define ABSENT_PART 10

static const unsigned percents[PERCENTS] = { 50, 75, 90 }; /* of the rate without a pause */

/* What this core patches, over and over. */
struct patches {
    unsigned sites;
    uint64_t done;          /* operations */
    uint64_t looks, absent; /* at the readers; those at which one did not run */
    enum poke_error error;
};

static void patch(void *arg)
{
    struct patches *p = arg;
    bool look = p->done % LOOK_EVERY == 0;

    if (look)
        readers_mark();
    text_mutex_lock();
    enum poke_error e =
        ground_patch(LAYOUT_PAGE, 0, p->sites, p->done % 2 ? IMAGE_NOP : IMAGE_JUMP);
    text_mutex_unlock();
    p->done++;
    if (e)
        p->error = e;
    if (look) {
        p->looks++;
        p->absent += !readers_all_ran();
    }
}

/* One value per turn. */
struct turns {
    uint64_t value[TURNS];
    bool left_out[TURNS];
};

static void keep(struct turns *turns, unsigned turn, uint64_t value, const struct patches *p)
{
    turns->value[turn] = value;
    turns->left_out[turn] = p->absent * ABSENT_PART > p->looks;
}

static struct spread turns_spread(const struct turns *turns, bool all)
{
    uint64_t kept[TURNS];
    unsigned n = 0;

    for (unsigned i = 0; i < TURNS; i++)
        if (all || !turns->left_out[i])
            kept[n++] = turns->value[i];
    return spread_of(kept, n);
}

/* By kind of readers. */
static struct rates {
    struct turns singles, sites; /* thousandths per second */
    struct turns p50[PERCENTS], p99[PERCENTS];
    uint64_t given_up[PERCENTS];
    struct hist ns[PERCENTS]; /* of all turns */
    uint64_t single_rate;     /* median, per second in thousandths */
    struct executions executions;
} rates[KINDS];
static uint64_t patched; /* sites */

static void account(struct test_run *t, const struct patches *p)
{
    patched += p->done * p->sites;
    EXPECT_EQ(p->error, POKE_OK);
    EXPECT(ground_holds(LAYOUT_PAGE, p->sites, p->done % 2 ? IMAGE_JUMP : IMAGE_NOP));
}

/* Sites per second, in thousandths. */
static void without_pause(struct test_run *t, unsigned sites, uint64_t length, struct turns *turns,
                          unsigned turn)
{
    struct patches p = { .sites = sites };
    uint64_t begin = rdtsc(), passed;

    do {
        patch(&p);
        passed = rdtsc() - begin;
    } while (passed < length);
    account(t, &p);
    keep(turns, turn, p.done * sites * PER_S / time_ticks_to_ns(passed), &p);
}

static void at_rate(struct test_run *t, struct rates *r, unsigned which, unsigned turn,
                    uint64_t length)
{
    static struct hist ns;
    uint64_t period_ns = PER_S * 100 / (r->single_rate * percents[which]);
    struct pace pace = { time_ns_to_ticks(period_ns), length };
    struct patches p = { .sites = 1 };

    hist_init(&ns);
    r->given_up[which] += paced_run(&pace, patch, &p, &ns);
    keep(&r->p50[which], turn, 1000 * hist_percentile(&ns, 1, 2), &p);
    keep(&r->p99[which], turn, 1000 * hist_percentile(&ns, 99, 100), &p);
    hist_merge(&r->ns[which], &ns);
    account(t, &p);
}

/* Both kinds of readers, one turn each: without a pause first, then, in other turns, at rates. */
static bool take_turn(struct test_run *t, unsigned turn, bool paced, uint64_t length)
{
    for (unsigned kind = 0; kind < KINDS; kind++) {
        struct rates *r = &rates[kind];

        if (!readers_start(t, (enum readers)kind, LAYOUT_PAGE, 1))
            return false;
        if (paced) {
            for (unsigned i = 0; i < PERCENTS; i++)
                at_rate(t, r, i, turn, length);
        } else {
            without_pause(t, 1, length, &r->singles, turn);
            without_pause(t, BATCH, length, &r->sites, turn);
        }
        readers_stop();
        r->executions.thread += readers_executions().thread;
    }
    return true;
}

static bool take_all(struct test_run *t, uint64_t length)
{
    for (unsigned turn = 0; turn < TURNS; turn++)
        if (!take_turn(t, turn, false, length))
            return false;
    for (unsigned kind = 0; kind < KINDS; kind++)
        rates[kind].single_rate = turns_spread(&rates[kind].singles, true).median;
    for (unsigned turn = 0; turn < TURNS; turn++)
        if (!take_turn(t, turn, true, length))
            return false;
    return true;
}

/* ---- the report ---- */

static void report_rates(struct json *j, unsigned kind)
{
    const struct rates *r = &rates[kind];

    json_object(j, readers_name((enum readers)kind));
    json_uint(j, "executions", r->executions.thread);
    json_uint(j, "single_per_s", r->single_rate / 1000);
    json_uint(j, "turns", TURNS);
    json_uint(j, "turns_kept", turns_spread(&r->singles, false).n);
    json_array(j, "paced");
    for (unsigned i = 0; i < PERCENTS; i++) {
        json_object(j, NULL);
        json_uint(j, "percent", percents[i]);
        json_uint(j, "per_s", r->single_rate * percents[i] / 100000);
        json_uint(j, "n", r->ns[i].count);
        json_uint(j, "not_begun", r->given_up[i]);
        json_uint(j, "p50_ns", hist_percentile(&r->ns[i], 1, 2));
        json_uint(j, "p99_ns", hist_percentile(&r->ns[i], 99, 100));
        json_uint(j, "max_ns", r->ns[i].max);
        json_object_end(j);
    }
    json_array_end(j);
    json_object_end(j);
}

static void figure_of_turns(struct test_run *t, const char *name, const char *unit,
                            const struct turns *turns)
{
    struct spread s = turns_spread(turns, false);

    figure_of_spread(t, name, unit, &s);
}

static void report(struct test_run *t)
{
    static const struct {
        const char *single, *sites, *p50, *p99;
    } names[KINDS] = {
        [READERS_HALTED] = { "sustained.single_per_s", "sustained.sites_per_s",
                             "sustained.p50_at_half", "sustained.p99_at_half" },
        [READERS_LOOPING] = { "sustained.single_per_s_busy", "sustained.sites_per_s_busy",
                              "sustained.p50_at_half_busy", "sustained.p99_at_half_busy" },
    };

    measure_report_trust(t);
    for (unsigned kind = 0; kind < KINDS; kind++)
        report_rates(&t->data, kind);
    figures_begin(t);
    for (unsigned kind = 0; kind < KINDS; kind++) {
        const struct rates *r = &rates[kind];

        figure_of_turns(t, names[kind].single, "per_s", &r->singles);
        figure_of_turns(t, names[kind].sites, "per_s", &r->sites);
        figure_of_turns(t, names[kind].p50, "ns", &r->p50[FIGURE_AT]);
        figure_of_turns(t, names[kind].p99, "ns", &r->p99[FIGURE_AT]);
    }
    figures_end(t);
    test_hist(t, "halted_at_half", &rates[READERS_HALTED].ns[FIGURE_AT]);
    test_hist(t, "looping_at_half", &rates[READERS_LOOPING].ns[FIGURE_AT]);
}

TEST(latency, sustained,
     "patches per second without a pause, and how late each is at fixed rates below that",
     .cpus = 2, .budget_ms = 1500, .default_ms = 800,
     .must_see = { { SEE_PATCHES, 1000 }, { SEE_EXECUTIONS, 1000 } })
{
    uint64_t length = time_ns_to_ticks(test_duration_ms(t) * 1000000 / SEGMENTS);

    REQUIRE(ground_prepare());
    memset(rates, 0, sizeof rates);
    patched = 0;
    for (unsigned kind = 0; kind < KINDS; kind++)
        for (unsigned i = 0; i < PERCENTS; i++)
            hist_init(&rates[kind].ns[i]);
    measure_init();
    ground_check_order(false);
    bool done = take_all(t, length);
    ground_check_order(true);
    if (!done)
        return;
    report(t);
    saw(SEE_PATCHES, patched);
    saw(SEE_EXECUTIONS, rates[READERS_LOOPING].executions.thread);
}

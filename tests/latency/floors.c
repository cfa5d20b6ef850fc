/* SPDX-License-Identifier: MIT */
/*
 * The floors, and a patch beside them: a sample of each in turn, so that all see the same machine.
 * Every other core executes the patched site meanwhile, the next one answers too.
 */
#include "kernel/lib/atomic.h"
#include "kernel/lib/fmt.h"
#include "kernel/mm/mm.h"
#include "poke/poke.h"
#include "tests/latency/bare_bp.h"
#include "tests/latency/floor.h"
#include "tests/latency/ground.h"
#include "tests/latency/measure.h"
#include "tests/lib/figure.h"
#include "tests/lib/others.h"
#include "tests/lib/patience.h"
#include "tests/lib/site.h"

#define LENGTH_MS   600
#define TURNS_LEAST 100
#define FLOORS_MAX  20
#define SITE_AT     0x43e

static struct series of_floor[FLOORS_MAX], of_patch;
static const struct floor *floors[FLOORS_MAX];
static unsigned count;
static struct site_set set;

static void collect(const struct floor *list)
{
    for (; list->name && count < FLOORS_MAX; list++)
        if (!list->exists || list->exists())
            floors[count++] = list;
}

static bool build(struct test_run *t)
{
    static const struct site_spec spec = { SITE_5_CALL, SITE_AT };
    struct prng rng = test_prng(t);

    count = 0;
    collect(floors_local);
    if (smp_online() > 1)
        collect(floors_remote);
    for (unsigned i = 0; i < count; i++)
        series_init(&of_floor[i], floors[i]->name, floors[i]->operations);
    series_init(&of_patch, "patch", 1);
    return floors_remote_build() && site_set_build(&set, &spec, 1, &rng);
}

/* ---- the other cores ---- */

/* Counts are added when a core stops; the boot core reads them afterwards. */
static uint64_t executions, wrong;
static unsigned executing; /* cores that have begun */

static void execute(__attribute__((unused)) void *arg)
{
    const struct site *s = &set.sites[0];
    uint32_t (*entry)(void) = (uint32_t(*)(void))(uintptr_t)s->entry;
    bool answers = (int)cpu_index() == smp_next_online(0);
    uint64_t n = 0, bad = 0;

    fetch_add(&executing, 1);
    for (; others_go_on(); n++) {
        uint32_t got = entry();

        bad += got != s->image[0].signature && got != s->image[1].signature;
        if (answers)
            floors_remote_serve();
        measure_relax();
    }
    fetch_add(&executions, n);
    fetch_add(&wrong, bad);
}

/* ---- one turn ---- */

static void sample_floor(const struct floor *floor, struct series *series)
{
    unsigned unanswered = floors_remote_unanswered();
    struct measured m;

    if (floor->begin)
        floor->begin();
    measure_begin(&m);
    for (unsigned i = 0; i < floor->operations; i++)
        floor->run();
    measure_end(&m);
    if (floor->end)
        floor->end();
    if (floors_remote_unanswered() == unanswered)
        series_add(series, &m.sample);
    else
        series_skip(series);
}

static void sample_patch(struct test_run *t, unsigned turn)
{
    const struct site *s = &set.sites[0];
    const uint8_t *to = s->image[(turn + 1) % 2].bytes;
    struct measured m;

    text_mutex_lock();
    measure_begin(&m);
    enum poke_error error = smp_text_poke_single(s->slot, to, s->len, NULL);
    measure_end(&m);
    text_mutex_unlock();
    EXPECT_EQ(error, POKE_OK);
    series_add(&of_patch, &m.sample);
}

static void take_turns(struct test_run *t)
{
    uint64_t begin = rdtsc();

    for (unsigned turn = 0;
         !loop_is_over(begin, (unsigned)test_duration_ms(t), turn >= TURNS_LEAST); turn++) {
        for (unsigned i = 0; i < count; i++)
            sample_floor(floors[i], &of_floor[i]);
        sample_patch(t, turn);
    }
}

/* ---- the report ---- */

static void report(struct test_run *t)
{
    struct json *j = &t->data;
    char name[40];

    measure_report_trust(t);
    json_uint(j, "unanswered", floors_remote_unanswered());
    json_object(j, "measured");
    for (unsigned i = 0; i < count; i++)
        json_string(j, floors[i]->name, floors[i]->what);
    json_object_end(j);
    json_object(j, "series");
    for (unsigned i = 0; i < count; i++)
        series_report(j, &of_floor[i]);
    series_report(j, &of_patch);
    json_object_end(j);
    figures_begin(t);
    for (unsigned i = 0; i < count; i++) {
        fmt_print(name, sizeof name, "floor.%s", floors[i]->name);
        figure_of_series(t, name, &of_floor[i]);
    }
    figures_end(t);
}

TEST(latency, floors,
     "what one serialising instruction, trap, interrupt, line transfer and store of code cost here",
     .budget_ms = 1000, .default_ms = LENGTH_MS, .must_see = { { SEE_PATCHES, TURNS_LEAST } })
{
    measure_init();
    REQUIRE(build(t));
    bare_bp_init();
    executions = wrong = 0;
    executing = 0;
    unsigned others = others_start(t, 0, execute, NULL);
    while (load_relaxed(&executing) != others)
        cpu_relax();
    ground_check_order(false);
    take_turns(t);
    ground_check_order(true);
    others_stop();
    bare_bp_exit();
    if (wrong)
        FAIL("%llu of %llu executions of the patched site did something else",
             (unsigned long long)wrong, (unsigned long long)executions);
    /* One that was never answered would be a floor that is none. */
    if (floors_remote_unanswered() > of_patch.turns)
        WEAK("%u operations were given up, nobody having answered", floors_remote_unanswered());
    saw(SEE_PATCHES, of_patch.turns);
    saw(SEE_EXECUTIONS, executions);
    report(t);
}

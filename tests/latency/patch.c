/* SPDX-License-Identifier: MIT */
/*
 * One patch: its phases, its total beside one sync and three in the same turn, and what the other
 * cores, which execute the site all the time, saw of it.
 */
#include "kernel/lib/fmt.h"
#include "kernel/lib/string.h"
#include "poke/poke.h"
#include "smp/smp.h"
#include "tests/latency/ground.h"
#include "tests/latency/measure.h"
#include "tests/latency/patch_samples.h"
#include "tests/latency/watch.h"
#include "tests/lib/patience.h"
#ifdef CROSSMOD_HOSTED
#include "tests/latency/linux_call.h"
#endif

#define LENGTH_MS   900
#define TURNS_LEAST 100

static const char *const site_names[SITES] = { "straddling", "aligned" };
static const struct site_spec specs[SITES] = { { SITE_5_CALL, 0x43e }, { SITE_5_CALL, 0x1440 } };

/* A way to take a site from one image to another, which the test's judges have to accept or not. */
typedef enum poke_error (*patch_fn)(const struct site *s, const struct site_image *from,
                                    const struct site_image *to);

static struct patch_samples m;
static struct site_set set;

/* ---- set-up ---- */

/* "int3", "sync1" ... of the row's steps, in order. */
static void name_phases(void)
{
    static const char *const names[] = {
        [POKE_STEP_PUBLISH] = "publish", [POKE_STEP_INT3] = "int3",   [POKE_STEP_TAIL] = "tail",
        [POKE_STEP_FIRST] = "first",     [POKE_STEP_BYTES] = "bytes", [POKE_STEP_SYNC] = "sync",
        [POKE_STEP_RETIRE] = "retire",   [POKE_STEP_ECHO] = "echo",
    };
    static char text[POKE_STEPS_MAX][16];
    unsigned syncs = 0;

    for (unsigned i = 0; i < POKE_STEPS_MAX && poke_int3.steps[i] != POKE_STEP_END; i++) {
        unsigned step = poke_int3.steps[i];

        if (step == POKE_STEP_SYNC)
            fmt_print(text[i], sizeof text[i], "%s%u", names[step], ++syncs);
        else
            fmt_print(text[i], sizeof text[i], "%s", names[step]);
        series_init(&m.phase[i], text[i], 1);
    }
}

static bool build(struct test_run *t)
{
    struct prng rng = test_prng(t);

    memset(&m, 0, sizeof m);
    for (unsigned i = 0; i < SITES; i++)
        series_init(&m.patch[i], site_names[i], 1);
    series_init(&m.one_sync, "one_sync", 1);
    series_init(&m.three_syncs, "three_syncs", 1);
    series_init(&m.three_calls, "three_membarriers", 1);
    series_init(&m.first_new, "first_new", 1);
    series_init(&m.last_old, "last_old", 1);
    name_phases();
    return site_set_build(&set, specs, SITES, &rng);
}

/* ---- one patch ---- */

/* A phase is what the row's step took from the end of the one before. Under text_mutex. */
static void add_phases(const struct measured *patch)
{
    const struct poke_timing *timing = poke_last_timing();
    uint64_t before = timing->begin;

    for (unsigned i = 0; i < timing->steps; i++) {
        struct sample sample = { before, timing->end[i] - before, patch->sample.core,
                                 patch->sample.cause };

        if (!timing->end[i]) {
            series_skip(&m.phase[i]);
            continue;
        }
        series_add(&m.phase[i], &sample);
        before = timing->end[i];
    }
}

/* What core `core` saw, from the call on. Executions that began before the call count as 0. */
static void judge_watch(struct test_run *t, unsigned core, const struct measured *patch)
{
    const struct watch *w = watch_of(core);
    uint64_t end = patch->sample.begin + patch->sample.ticks;
    /* What the two clocks may differ by. */
    uint64_t error = machine_clock_skew();

    if (w->wrong)
        FAIL("core %u executed the site %u times with a result that is no image's", core, w->wrong);
    if (w->last_old > end + error)
        FAIL("core %u began to execute the old image %llu ns after the patch had returned", core,
             (unsigned long long)time_ticks_to_ns(w->last_old - end));
    if (!w->first_new)
        FAIL("core %u never executed the new image", core);
    m.returns += w->returns;
    m.hit_count += w->hits;
    m.hit_ticks += w->hit_ticks;
    saw(SEE_INT3_HITS, w->hits);
}

static uint64_t since(uint64_t at, uint64_t begin)
{
    return at > begin ? at - begin : 0;
}

static void add_watches(struct test_run *t, const struct measured *patch)
{
    uint64_t begin = patch->sample.begin, first = UINT64_MAX, last = 0, hits = 0;
    uint32_t cause = patch->sample.cause;

    for (int core = smp_next_online(0); core >= 0; core = smp_next_online(core)) {
        const struct watch *w = watch_of((unsigned)core);
        uint64_t first_new = since(w->first_new, begin), last_old = since(w->last_old, begin);

        judge_watch(t, (unsigned)core, patch);
        hits += w->hits;
        if (w->preempted) {
            cause = CAUSE_PREEMPTION;
            continue;
        }
        first = first_new < first ? first_new : first;
        last = last_old > last ? last_old : last;
        if (core < CORES_SHOWN && cause != CAUSE_PREEMPTION) {
            hist_add(&m.core_first_new[core], time_ticks_to_ns(first_new));
            hist_add(&m.core_last_old[core], time_ticks_to_ns(last_old));
        }
    }
    struct sample sample = { begin, first, patch->sample.core, cause };
    if (first == UINT64_MAX) {
        series_skip(&m.first_new);
        series_skip(&m.last_old);
        return;
    }
    series_add(&m.first_new, &sample);
    sample.ticks = last;
    series_add(&m.last_old, &sample);
    if (m.turns < SERIES_TURNS)
        m.hits[m.turns++] = hits * 1000;
}

static void sample_patch(struct test_run *t, unsigned which, unsigned turn, patch_fn patch)
{
    const struct site *s = &set.sites[which];
    const struct site_image *from = &s->image[turn % 2], *to = &s->image[(turn + 1) % 2];
    struct measured measured;

    if (!watch_begin(s, from->signature, to->signature))
        ERROR("a core does not execute the site");
    text_mutex_lock();
    measure_begin(&measured);
    enum poke_error error = patch(s, from, to);
    measure_end(&measured);
    series_add(&m.patch[which], &measured.sample);
    if (which == STRADDLING)
        add_phases(&measured);
    text_mutex_unlock();
    if (!watch_end())
        ERROR("a core does not execute the site any more");
    if (error)
        FAIL("the engine refused a legal patch: %s", poke_error_text(error));
    if (which == STRADDLING)
        add_watches(t, &measured);
    if (memcmp(s->slot, to->bytes, s->len))
        FAIL("the %s site does not hold what was written", site_names[which]);
    saw(SEE_PATCHES, 1);
}

/* ---- beside it ---- */

static void sample_syncs(struct series *series, void (*sync)(void), unsigned times)
{
    struct measured measured;

    text_mutex_lock();
    measure_begin(&measured);
    for (unsigned i = 0; i < times; i++)
        sync();
    measure_end(&measured);
    text_mutex_unlock();
    series_add(series, &measured.sample);
}

/* The other cores execute a site while they are interrupted. */
static void take_turn(struct test_run *t, unsigned turn, patch_fn patch)
{
    for (unsigned which = 0; which < SITES; which++)
        sample_patch(t, which, turn, patch);
    sample_syncs(&m.one_sync, smp_text_poke_sync_each_cpu, 1);
    sample_syncs(&m.three_syncs, smp_text_poke_sync_each_cpu, 3);
#ifdef CROSSMOD_HOSTED
    sample_syncs(&m.three_calls, linux_membarrier, 3);
#endif
}

static void run(struct test_run *t, patch_fn patch)
{
    uint64_t begin = rdtsc();

    for (unsigned turn = 0;
         t->verdict < VERDICT_FAIL &&
         !loop_is_over(begin, (unsigned)test_duration_ms(t), turn >= TURNS_LEAST);
         turn++)
        take_turn(t, turn, patch);
}

static void measure(struct test_run *t, patch_fn patch)
{
    measure_init();
    REQUIRE(build(t));
    REQUIRE(watchers_start(t));
    ground_check_order(false);
    run(t, patch);
    ground_check_order(true);
    watchers_stop();
    saw(SEE_EXECUTIONS, watchers_executions());
    json_uint(&t->data, "watchers", watchers());
    patch_report(t, &m);
}

static enum poke_error by_engine(const struct site *s,
                                 __attribute__((unused)) const struct site_image *from,
                                 const struct site_image *to)
{
    return smp_text_poke_single(s->slot, to->bytes, s->len, NULL);
}

TEST(latency, patch,
     "a patch of five bytes by phases, beside one sync and three; first new and last old execution",
     .budget_ms = 1000, .default_ms = LENGTH_MS, .must_see = { { SEE_PATCHES, TURNS_LEAST } })
{
    measure(t, by_engine);
}

/* While the patch is under way the site does what it should do then, afterwards it is as before. */
static enum poke_error without_effect(const struct site *s, const struct site_image *from,
                                      const struct site_image *to)
{
    return smp_text_poke_single(s->slot, from->bytes, s->len, to->bytes);
}

TEST(selftest, fault_latency_old_again,
     "must fail: the old image is executed after the patch has returned", .cpus = 2,
     .budget_ms = 1000, .default_ms = LENGTH_MS)
{
    measure(t, without_effect);
}

/* The aligned site, of whose executions nobody tells. */
static enum poke_error without_effect_unwatched(const struct site *s, const struct site_image *from,
                                                const struct site_image *to)
{
    return s == &set.sites[ALIGNED] ? without_effect(s, from, to) : by_engine(s, from, to);
}

TEST(selftest, fault_latency_text, "must fail: a patch after which the text is what it was",
     .budget_ms = 1000, .default_ms = LENGTH_MS)
{
    measure(t, without_effect_unwatched);
}

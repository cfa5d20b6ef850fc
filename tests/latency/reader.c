/* SPDX-License-Identifier: MIT */
/*
 * What a patch costs those who only run: all other cores execute a site as fast as they can, in
 * pairs of periods, one quiet and one in which something happens again and again. The executions
 * that are missing from the second, in the time that one takes in the first, are what was lost.
 *
 * Shared words. The boot core writes `orders`: `period` (release) ends one period and begins the
 * next, `stalls` is the planted loss. A reader writes its own block: its mark, then `answered`
 * (release), which the boot core acquires.
 */
#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "poke/poke.h"
#include "smp/smp.h"
#include "tests/latency/ground.h"
#include "tests/latency/measure.h"
#include "tests/lib/figure.h"
#include "tests/lib/others.h"
#include "tests/lib/patience.h"
#include "tests/lib/site.h"

#define LENGTH_MS    700
#define PERIOD_NS    500000ull  /* short: a pair of periods without preemption is wanted */
#define TURNS_NS     2000000ull /* where cores take turns: everything takes longer */
#define CYCLES_LEAST 4
#define SITE_AT      0x340 /* the site's code goes on to 0x34c */
#define SAME_LINE_AT 0x360
#define STALL_NS     20000u
#define FRACTION     16 /* samples are in sixteenths of a tick per event */

enum { OWN, SAME_LINE, ELSEWHERE, SYNC, PLANTED, KINDS };

static struct {
    uint64_t period, stalls;
} orders __attribute__((aligned(CACHE_LINE)));

struct mark {
    uint64_t time, executions, preemptions;
};

static struct reader {
    struct mark mark __attribute__((aligned(CACHE_LINE)));
    uint64_t answered; /* period */
    uint64_t wrong;
} * readers;

static struct site_set set;
static uint8_t *same_line, *elsewhere;
static struct series lost[KINDS], taken[KINDS];
static unsigned version[KINDS]; /* patches of its site */

/* ---- the readers ---- */

static void stall(void)
{
    uint64_t begin = rdtsc(), length = time_ns_to_ticks(STALL_NS);

    while (rdtsc() - begin < length)
        measure_relax();
}

static void read_site(__attribute__((unused)) void *arg)
{
    struct reader *self = &readers[cpu_index()];
    const struct site *s = &set.sites[0];
    uint32_t (*entry)(void) = (uint32_t(*)(void))(uintptr_t)s->entry;
    uint64_t executions = 0, period = 0, stalls = load_relaxed(&orders.stalls);

    for (; others_go_on(); measure_relax()) {
        uint32_t got = entry();

        executions++;
        self->wrong += got != s->image[0].signature && got != s->image[1].signature;
        if (load_relaxed(&orders.stalls) != stalls) {
            stalls++;
            stall();
        }
        if (load_acquire(&orders.period) != period) { /* pairs with the release in next_period() */
            period = load_relaxed(&orders.period);
            self->mark = (struct mark){ rdtsc(), executions, smp_preemptions() };
            store_release(&self->answered, period); /* pairs with the acquire in next_period() */
        }
    }
}

/* Every reader's mark in `marks`, by core. */
static void next_period(struct mark *marks)
{
    store_release(&orders.period, orders.period + 1); /* pairs with the acquire in read_site() */
    for (int core = smp_next_online(0); core >= 0; core = smp_next_online(core)) {
        /* Pairs with the release in read_site(). A core that never answers is the watchdog's. */
        while (load_acquire(&readers[core].answered) != orders.period)
            cpu_relax();
        marks[core] = readers[core].mark;
    }
}

/* ---- what happens ---- */

static void patch_site(struct test_run *t, uint8_t *slot, const uint8_t *to)
{
    text_mutex_lock();
    enum poke_error error = smp_text_poke_single(slot, to, 5, NULL);
    text_mutex_unlock();
    if (error)
        FAIL("the engine refused a legal patch: %s", poke_error_text(error));
    if (memcmp(slot, to, 5))
        FAIL("a site does not hold what was written");
    saw(SEE_PATCHES, 1);
}

static void happen(struct test_run *t, unsigned kind)
{
    static const uint8_t jump_to_next[5] = { JMP32_INSN_OPCODE };
    const uint8_t *idle_code = ++version[kind] % 2 ? jump_to_next : poke_nop5;

    switch (kind) {
    case OWN:
        patch_site(t, set.sites[0].slot, set.sites[0].image[version[OWN] % 2].bytes);
        break;
    case SAME_LINE:
        patch_site(t, same_line, idle_code);
        break;
    case ELSEWHERE:
        patch_site(t, elsewhere, idle_code);
        break;
    case SYNC:
        smp_text_poke_sync_each_cpu();
        break;
    default:
        store_relaxed(&orders.stalls, orders.stalls + 1);
        time_delay_us(2 * STALL_NS / 1000);
    }
}

/* ---- a pair of periods ---- */

/* Ticks that a reader lost from b to c, at the speed that it had from a to b. */
static uint64_t ticks_lost(const struct mark *a, const struct mark *b, const struct mark *c)
{
    uint64_t quiet = b->executions - a->executions;
    uint64_t undisturbed =
        quiet ? (c->executions - b->executions) * (b->time - a->time) / quiet : 0;
    uint64_t took = c->time - b->time;

    return took > undisturbed ? took - undisturbed : 0;
}

static void add_pair(unsigned kind, const struct mark *marks[3], uint64_t events, uint64_t ticks,
                     bool preempted)
{
    for (int core = smp_next_online(0); core >= 0; core = smp_next_online(core)) {
        const struct mark *a = &marks[0][core], *b = &marks[1][core], *c = &marks[2][core];
        struct sample sample = { .begin = b->time, .core = (uint32_t)core, .cause = CAUSE_UNKNOWN };

        if (preempted || c->preemptions != a->preemptions)
            sample.cause = CAUSE_PREEMPTION;
        sample.ticks = ticks_lost(a, b, c) * FRACTION / events;
        series_add(&lost[kind], &sample);
        sample.ticks = ticks * FRACTION / events;
        series_add(&taken[kind], &sample);
    }
}

static void take_pair(struct test_run *t, unsigned kind, struct mark *marks[3])
{
    uint64_t preemptions = smp_preemptions(), events = 0;
    uint64_t length = time_ns_to_ticks(cores_take_turns ? TURNS_NS : PERIOD_NS);

    next_period(marks[0]);
    for (uint64_t begin = rdtsc(); rdtsc() - begin < length;)
        cpu_relax();
    next_period(marks[1]);
    uint64_t begin = rdtsc();
    for (; rdtsc() - begin < length; events++)
        happen(t, kind);
    uint64_t ticks = rdtsc() - begin;
    next_period(marks[2]);
    add_pair(kind, (const struct mark **)marks, events, ticks, smp_preemptions() != preemptions);
}

/* ---- the test ---- */

static void *allocate(size_t bytes)
{
    return pages_alloc_virt((bytes + PAGE_SIZE - 1) / PAGE_SIZE);
}

static bool build(struct test_run *t, struct mark *marks[3])
{
    static const struct site_spec spec = { SITE_5_CALLS, SITE_AT };
    static const char *const names[KINDS] = { "own", "same_line", "elsewhere", "sync", "planted" };
    struct prng rng = test_prng(t);

    readers = allocate(smp_possible() * sizeof *readers);
    for (unsigned i = 0; i < 3; i++)
        marks[i] = allocate(smp_possible() * sizeof *marks[i]);
    elsewhere = (uint8_t *)mm_text_alloc(1);
    if (!readers || !marks[0] || !marks[1] || !marks[2] || !elsewhere ||
        !site_set_build(&set, &spec, 1, &rng))
        return false;
    memset(&orders, 0, sizeof orders);
    memset(version, 0, sizeof version);
    for (unsigned i = 0; i < KINDS; i++) {
        series_init(&lost[i], names[i], FRACTION);
        series_init(&taken[i], names[i], FRACTION);
    }
    same_line = set.sites[0].slot - SITE_AT % CACHE_LINE + SAME_LINE_AT % CACHE_LINE;
    return text_poke_copy(same_line, poke_nop5, 5) == POKE_OK &&
           text_poke_copy(elsewhere, poke_nop5, 5) == POKE_OK;
}

static void report(struct test_run *t)
{
    struct json *j = &t->data;

    measure_report_trust(t);
    json_object(j, "lost");
    for (unsigned i = 0; i < KINDS; i++)
        series_report(j, &lost[i]);
    json_object_end(j);
    json_object(j, "time_per_event");
    for (unsigned i = 0; i < KINDS; i++)
        series_report(j, &taken[i]);
    json_object_end(j);
    json_uint(j, "planted_ns", STALL_NS);
    figures_begin(t);
    figure_of_series(t, "reader.lost_own", &lost[OWN]);
    figure_of_series(t, "reader.lost_same_line", &lost[SAME_LINE]);
    figure_of_series(t, "reader.lost_elsewhere", &lost[ELSEWHERE]);
    figure_of_series(t, "reader.lost_per_sync", &lost[SYNC]);
    figure_of_ratio(t, "reader.lost_own_over_latency", &lost[OWN], &taken[OWN], 1);
    figure_of_ratio(t, "reader.lost_elsewhere_over_sync", &lost[ELSEWHERE], &lost[SYNC], 1);
    figures_end(t);
}

/* Did what was planted appear? On one thread for all cores, a stall is another core's turn. */
static void judge_detector(struct test_run *t)
{
    uint64_t seen = series_spread(&lost[PLANTED]).median / 1000;

    if (!cores_take_turns && lost[PLANTED].ns.count && seen < STALL_NS / 2)
        WEAK("of a planted loss of %u ns, %llu were seen", STALL_NS, (unsigned long long)seen);
}

TEST(latency, reader,
     "time that running cores lose to a patch of their own site, beside it, elsewhere; to a sync",
     .cpus = 2, .budget_ms = 1000, .default_ms = LENGTH_MS, .must_see = { { SEE_PATCHES, 30 } })
{
    struct mark *marks[3];
    uint64_t begin;

    measure_init();
    REQUIRE(build(t, marks));
    others_start(t, 0, read_site, NULL);
    ground_check_order(false);
    begin = rdtsc();
    for (unsigned cycle = 0;
         t->verdict < VERDICT_FAIL &&
         !loop_is_over(begin, (unsigned)test_duration_ms(t), cycle >= CYCLES_LEAST);
         cycle++)
        for (unsigned kind = 0; kind < KINDS; kind++)
            take_pair(t, kind, marks);
    ground_check_order(true);
    others_stop();
    for (int core = smp_next_online(0); core >= 0; core = smp_next_online(core)) {
        saw(SEE_EXECUTIONS, readers[core].mark.executions);
        if (readers[core].wrong)
            FAIL("core %d executed the site %llu times with a result that is no image's", core,
                 (unsigned long long)readers[core].wrong);
    }
    judge_detector(t);
    report(t);
}

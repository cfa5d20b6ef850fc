/* SPDX-License-Identifier: MIT */
/*
 * All text users at once. Two cores patch, each its own users, as its own random numbers say: the
 * run's seed replays the sequence of each. Their batches come in turn, by text_mutex. Every core
 * executes all users: in its thread (the patchers between their patches), in timer interrupts and
 * in NMIs, also in the middle of its own patches.
 *
 * Shared words.
 * - versions[user]: written by the one patcher that owns the user, read by all (load.h).
 * - a place, what a core has seen in a context: that context's own, until the core has stopped.
 * - a patcher: its core's own until that has stopped, but for `focus`, which is a hint to all.
 * - last_patcher: exchanged by both. A count of turns hangs on it, and no order.
 * - ended: the second patcher sets it (release) when it patches no more; the boot core acquires it.
 *
 * Waiting. A patcher in text_synchronise() waits for the other one's quiescent point. That one may
 * be waiting for text_mutex, which is no such point: but who waits there does not hold it
 * (POKE_E_LOCK), so it comes free, the operation ends, and the point behind it is passed. If it is
 * in text_synchronise() too, that is one. At the end the boot core's thread passes points until the
 * second patcher has ended, and only then waits for the other cores to stop.
 */
#include "tests/users/all_at_once.h"

#include "kernel/mm/mm.h"
#include "poke/users/reclaim.h"
#include "smp/percpu.h"
#include "smp/smp.h"
#include "smp/watchdog.h"
#include "tests/lib/int3_counts.h"
#include "tests/lib/others.h"
#include "tests/lib/patience.h"

#define TIMER_US         200
#define NMI_ONE_IN       8u /* thread executions, with an NMI to some core */
#define PATCHERS         2u
#define REPLAYED         32u /* operations of each patcher that the report's digest is of */
#define OPERATIONS_LEAST 4u  /* of each user; and executions, and those that overlapped one */
#define EXECUTIONS_LEAST 40u
#define OVERLAPS_LEAST   8u
#define OWN_LEAST        2u /* executions of what its own core is changing, by kind of interrupt */

/* Both patchers wait for quiescence, and both have sites enough for several batches. */
static const struct {
    const struct text_user *user;
    unsigned patcher, weight; /* how often, beside the patcher's others */
} users[] = {
    { &user_static_key, 0, 4 },  { &user_long_key, 1, 1 }, { &user_event, 0, 4 },
    { &user_static_call, 1, 4 }, { &user_ftrace, 0, 8 },   { &user_text_switch, 1, 4 },
    { &user_redirect, 0, 3 },    { &user_reclaim, 1, 3 },  { &user_queue, 0, 4 },
    { &user_probes, 1, 8 },
};
#define USERS (sizeof users / sizeof users[0])

static struct user_versions versions[USERS];

static struct patcher {
    struct prng rng;
    uint64_t operations, turns, digest;
    enum poke_error error; /* the first; it patches no more then */
    unsigned refused;      /* the user that got it */
    uint32_t focus;        /* the user that it is changing, or changed last */
} patchers[PATCHERS];
static unsigned second_core;
static uint32_t last_patcher, ended;
static uint64_t began; /* TSC */
static unsigned run_ms;

struct place {
    struct prng rng;
    uint64_t rests_until; /* TSC; a timer's */
    struct user_seen seen[USERS];
};
static struct place *places; /* [core][context] */

static struct place *place_of(unsigned core, enum user_context context)
{
    return &places[core * USER_CONTEXTS + context];
}

/* ---- executing ---- */

/* Any user, or one that is being changed. */
static unsigned choose_user(struct prng *rng)
{
    unsigned from = prng_below(rng, 2 * PATCHERS);

    return from < PATCHERS ? load_relaxed(&patchers[from].focus) : prng_below(rng, USERS);
}

static void execute(struct place *place)
{
    unsigned which = choose_user(&place->rng);

    user_execute(&users[which].user->load, &versions[which], &place->seen[which]);
}

/* At most half of the time: the thread has to come to its quiescent points. */
static void in_timer(void)
{
    struct place *place = place_of(cpu_index(), USER_TIMER);
    uint64_t begin = rdtsc();

    if (begin < place->rests_until)
        return;
    execute(place);
    place->rests_until = 2 * rdtsc() - begin;
}

static void in_nmi(void)
{
    execute(place_of(cpu_index(), USER_NMI));
}

/* An NMI to a core that may be anywhere, in the middle of a patch too. */
static void disturb(struct prng *rng)
{
    unsigned victim = prng_below(rng, smp_possible());

    if (!prng_below(rng, NMI_ONE_IN) && victim != cpu_index() && smp_is_online(victim))
        smp_send_nmi(victim);
}

static void execute_in_thread(void)
{
    struct place *place = place_of(cpu_index(), USER_THREAD);

    execute(place);
    disturb(&place->rng);
    text_quiescent_point();
    cpu_relax();
}

static void hooks_on(void)
{
    store_release(&this_cpu()->timer_hook, in_timer); /* pair with the interrupts' acquires */
    store_release(&this_cpu()->nmi_hook, in_nmi);
    smp_timer_start(TIMER_US);
}

static void hooks_off(void)
{
    store_release(&this_cpu()->timer_hook, NULL);
    store_release(&this_cpu()->nmi_hook, NULL);
    watchdog_start_core(); /* the default tick again */
}

/* ---- patching ---- */

static unsigned draw(struct patcher *p)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < USERS; i++)
        if (&patchers[users[i].patcher] == p)
            sum += users[i].weight;

    unsigned left = prng_below(&p->rng, sum), i = 0;

    for (;; i++) {
        if (&patchers[users[i].patcher] != p)
            continue;
        if (left < users[i].weight)
            return i;
        left -= users[i].weight;
    }
}

static void operate(struct patcher *p)
{
    unsigned which = draw(p), me = (unsigned)(p - patchers);

    if (p->operations++ < REPLAYED)
        p->digest = p->digest * (USERS + 1) + which;
    store_relaxed(&p->focus, which);
    p->turns += exchange(&last_patcher, me) != me;
    p->error = user_go_to_next(&users[which].user->load, &versions[which]);
    p->refused = which;
}

/* Of a user, by all cores in all contexts; while they run a little may be missing. */
static struct user_seen sum_of(unsigned which)
{
    struct user_seen sum = { 0 };

    for (unsigned i = 0; i < smp_possible() * USER_CONTEXTS; i++) {
        sum.executions += load_relaxed(&places[i].seen[which].executions);
        sum.overlaps += load_relaxed(&places[i].seen[which].overlaps);
    }
    return sum;
}

static bool has_seen_enough(unsigned which)
{
    struct user_seen sum = sum_of(which);

    return load_relaxed(&versions[which].begun) >= OPERATIONS_LEAST &&
           sum.executions >= EXECUTIONS_LEAST && sum.overlaps >= OVERLAPS_LEAST;
}

static bool has_done_enough(const struct patcher *p)
{
    for (unsigned i = 0; i < USERS; i++)
        if (&patchers[users[i].patcher] == p && !has_seen_enough(i))
            return false;
    return p->operations >= REPLAYED;
}

static void patch_and_execute(struct patcher *p)
{
    while (!p->error && !loop_is_over(began, run_ms, has_done_enough(p))) {
        operate(p);
        execute_in_thread();
    }
}

static void run_other(__attribute__((unused)) void *arg)
{
    hooks_on();
    if (cpu_index() == second_core) {
        patch_and_execute(&patchers[1]);
        store_release(&ended, 1); /* pairs with the acquire in run_all() */
    }
    while (others_go_on())
        execute_in_thread();
    hooks_off();
}

static void run_all(struct test_run *t)
{
    hooks_on();
    others_start(t, 0, run_other, NULL);
    patch_and_execute(&patchers[0]);
    while (!load_acquire(&ended)) /* pairs with the release in run_other() */
        execute_in_thread();
    others_stop();
    hooks_off();
}

/* ---- the test ---- */

static void prepare(struct test_run *t)
{
    size_t bytes = smp_possible() * USER_CONTEXTS * sizeof *places;
    uint64_t seed = prng_next(&(struct prng){ test_prng(t).state });

    places = pages_alloc_virt((bytes + PAGE_SIZE - 1) / PAGE_SIZE);
    REQUIRE(places);
    for (unsigned i = 0; i < PATCHERS; i++)
        patchers[i] = (struct patcher){ .rng = prng_stream(seed, i) };
    for (unsigned i = 0; i < smp_possible() * USER_CONTEXTS; i++)
        places[i].rng = prng_stream(seed, PATCHERS + i);
    second_core = (unsigned)smp_next_online(0);
    last_patcher = ended = 0;
    run_ms = (unsigned)test_duration_ms(t);
    for (unsigned i = 0; i < USERS; i++) {
        versions[i] = (struct user_versions){ 0 };
        users[i].user->begin(t);
    }
    began = rdtsc();
}

/* What one user was put through; WEAK if that was little. */
static void report_user(struct test_run *t, unsigned which)
{
    const char *name = users[which].user->name;
    struct user_seen sum = sum_of(which);

    for (unsigned i = 0; i < smp_possible() * USER_CONTEXTS; i++)
        user_report_seen(t, name, &places[i].seen[which], i / USER_CONTEXTS, i % USER_CONTEXTS);
    json_object(&t->data, NULL);
    json_string(&t->data, "name", name);
    json_uint(&t->data, "patcher", users[which].patcher);
    json_uint(&t->data, "operations", versions[which].begun);
    json_uint(&t->data, "executions", sum.executions);
    json_uint(&t->data, "overlaps", sum.overlaps);
    json_object_end(&t->data);
    if (!has_seen_enough(which))
        WEAK("%s: %llu operations, %llu executions, %llu of them while it changed", name,
             (unsigned long long)versions[which].begun, (unsigned long long)sum.executions,
             (unsigned long long)sum.overlaps);
}

/* Executions of a user that its patcher's own core was changing. */
static uint64_t in_own_patches(unsigned patcher, enum user_context context)
{
    const struct place *place = place_of(patcher ? second_core : 0, context);
    uint64_t n = 0;

    for (unsigned i = 0; i < USERS; i++)
        if (users[i].patcher == patcher)
            n += place->seen[i].overlaps;
    return n;
}

static void report_patcher(struct test_run *t, const struct patcher *p)
{
    unsigned number = (unsigned)(p - patchers);
    uint64_t timer = in_own_patches(number, USER_TIMER), nmi = in_own_patches(number, USER_NMI);

    saw(SEE_TURNS, p->turns);
    json_object(&t->data, NULL);
    json_uint(&t->data, "operations", p->operations);
    json_uint(&t->data, "timer_in_own_patch", timer);
    json_uint(&t->data, "nmi_in_own_patch", nmi);
    json_hex(&t->data, "digest", p->digest);
    json_object_end(&t->data);
    if (p->error)
        FAIL("%s: %s", users[p->refused].user->name, poke_error_text(p->error));
    if (timer < OWN_LEAST || nmi < OWN_LEAST)
        WEAK("patcher %u met its own patches in %llu timer interrupts and %llu NMIs", number,
             (unsigned long long)timer, (unsigned long long)nmi);
}

TEST_BARE("text of its own that can be patched", users, all_at_once,
          "two patchers and all cores at once: each user's executions are of its own versions",
          .cpus = 3, .budget_ms = 3000, .default_ms = 1500,
          .must_see = { { SEE_EXECUTIONS, 200 },
                        { SEE_OVERLAPS, 100 },
                        { SEE_PATCHES, 4 * 20000 },
                        { SEE_INT3_HITS, 100 },
                        { SEE_TIMER_EXECUTIONS, 40 },
                        { SEE_NMI_EXECUTIONS, 40 },
                        { SEE_TURNS, 16 },
                        { SEE_ORDER_CHECKS, 100 } })
{
    struct poke_counters before = *poke_counters();
    uint64_t hits = int3_counts().hits;

    prepare(t);
    if (t->verdict != VERDICT_PASS)
        return;
    run_all(t);

    json_array(&t->data, "users");
    for (unsigned i = 0; i < USERS; i++)
        report_user(t, i);
    json_array_end(&t->data);
    json_array(&t->data, "patchers");
    for (unsigned i = 0; i < PATCHERS; i++)
        report_patcher(t, &patchers[i]);
    json_array_end(&t->data);
    for (unsigned i = 0; i < USERS; i++)
        users[i].user->end(t);
    EXPECT_EQ(poke_counters()->order_violations, before.order_violations);
    saw(SEE_PATCHES, poke_counters()->sites - before.sites);
    saw(SEE_ORDER_CHECKS, poke_counters()->order_checked - before.order_checked);
    saw(SEE_INT3_HITS, int3_counts().hits - hits);
}

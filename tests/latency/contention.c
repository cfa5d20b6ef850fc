/* SPDX-License-Identifier: MIT */
/*
 * Shared words. The holder writes `together`, the number of the round in which all pass, or 0; the
 * others acquire it. Each core that takes part writes its own block: `begun`, its numbers, `done`
 * (releases); the holder goes on until all have begun, and looks at the numbers when all are done.
 */
#include "tests/latency/contention.h"

#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "kernel/time/time.h"
#include "smp/smp.h"
#include "smp/watchdog.h"
#include "tests/latency/bare_bp.h"
#include "tests/lib/others.h"

#define ROUNDS           20           /* that are wanted */
#define LENGTH_NS        250000000ull /* where others use the processors, most are left out */
#define PERIOD_NS        1000000ull
#define PATIENCE_PERIODS 100
#define TIMER_US         50 /* of the boot core: how late it may join a round */

static struct {
    void (*slot)(void);
    bool bare;
    uint32_t together;
} orders __attribute__((aligned(CACHE_LINE)));

static struct passer {
    uint64_t passes __attribute__((aligned(CACHE_LINE)));
    uint64_t begin, end;  /* TSC: of those */
    uint32_t begun, done; /* last round */
    bool preempted;
} * passers;

static struct contention found;
static uint64_t ratios[ROUNDS];
static void (*usual_hook)(void);

/* ---- all cores ---- */

/* Pass while `going` says so. */
static void pass_while(struct passer *self, bool (*going)(uint64_t), uint64_t arg)
{
    uint64_t preemptions = smp_preemptions(), passes = 0;

    if (orders.bare)
        bare_bp_begin();
    self->begin = rdtsc();
    for (; going(arg); passes++)
        orders.slot();
    self->end = rdtsc();
    if (orders.bare)
        bare_bp_end();
    self->passes = passes;
    self->preempted = smp_preemptions() != preemptions;
}

static bool is_round(uint64_t round)
{
    return load_acquire(&orders.together) == round; /* pairs with the releases in pass_together() */
}

/* If a round goes on that this core has not been in, be in it. */
static void join(void)
{
    struct passer *self = &passers[cpu_index()];
    uint32_t round = load_acquire(&orders.together); /* as above */

    if (!round || round == self->done)
        return;
    store_release(&self->begun, round); /* pairs with the acquire in all_begun() */
    pass_while(self, is_round, round);
    store_release(&self->done, round); /* pairs with the acquire in pass_together() */
}

/* The boot core's, in its timer interrupt: one at a time, that none costs passes. */
static void join_in_interrupt(void)
{
    smp_timer_start(0);
    join();
    smp_timer_start(TIMER_US);
}

static void join_rounds(__attribute__((unused)) void *arg)
{
    for (; others_go_on(); cpu_relax())
        join();
}

/* ---- the holder ---- */

static bool all_begun(uint32_t round)
{
    for_each_online_cpu (core)
        if (load_acquire(&passers[core].begun) != round) /* pairs with the release in join() */
            return false;
    return true;
}

/* When the holder stops to pass by itself, and with the others: all are to be seen together. */
static uint64_t period_end, patience_end;

static bool period_lasts(__attribute__((unused)) uint64_t unused)
{
    return rdtsc() < period_end;
}

static bool round_lasts(uint64_t round)
{
    uint64_t now = rdtsc();

    return now < period_end || (now < patience_end && !all_begun((uint32_t)round));
}

/* Passes per period of one core, whose own clock says how long it passed. */
static uint64_t per_period(const struct passer *p, uint64_t period)
{
    return p->end > p->begin ? p->passes * period / (p->end - p->begin) : 0;
}

/* False: a core has not joined, and none of its numbers are looked at. */
static bool pass_together(struct passer *self, uint32_t round)
{
    self->begun = round;
    store_release(&orders.together, round); /* pairs with the acquires in join(), is_round() */
    pass_while(self, round_lasts, round);
    store_release(&orders.together, 0);
    self->done = round;
    if (!all_begun(round))
        return false;
    for_each_online_cpu (core)
        while (load_acquire(&passers[core].done) != round) /* pairs with the release in join() */
            cpu_relax();
    return true;
}

static bool one_round(uint32_t round)
{
    struct passer *self = &passers[cpu_index()];
    uint64_t period = time_ns_to_ticks(PERIOD_NS), alone, all = 0;
    bool preempted;

    period_end = rdtsc() + period;
    pass_while(self, period_lasts, 0);
    alone = per_period(self, period);
    preempted = self->preempted;

    period_end = rdtsc() + period;
    patience_end = period_end + PATIENCE_PERIODS * period;
    if (!pass_together(self, round))
        return false;
    for_each_online_cpu (core) {
        all += per_period(&passers[core], period);
        preempted |= passers[core].preempted;
    }
    found.rounds++;
    if (preempted || !alone) {
        found.left_out++;
        return true;
    }
    ratios[found.rounds - 1 - found.left_out] = all * 1000 / (alone * found.cores);
    found.passes_alone += alone;
    found.passes_all += all;
    return true;
}

void contention_rounds(__attribute__((unused)) void *arg)
{
    uint64_t end = rdtsc() + time_ns_to_ticks(LENGTH_NS);
    uint32_t round = 1;

    while (rdtsc() < end && found.rounds - found.left_out < ROUNDS && one_round(round))
        round++;
}

/* ---- the boot core ---- */

void contention_start(struct test_run *t, unsigned holder, const void *slot)
{
    size_t bytes = smp_possible() * sizeof *passers;

    if (!passers)
        passers = pages_alloc_virt((bytes + PAGE_SIZE - 1) / PAGE_SIZE);
    found = (struct contention){ .cores = smp_online() };
    if (!passers) {
        ERROR("no memory");
        return;
    }
    memset(passers, 0, bytes);
    orders.slot = slot ? (void (*)(void))(uintptr_t)slot : bare_bp;
    orders.bare = !slot;
    orders.together = 0;
    others_start(t, holder, join_rounds, NULL);
    usual_hook = this_cpu()->timer_hook;
    store_release(&this_cpu()->timer_hook, join_in_interrupt);
    smp_timer_start(TIMER_US);
}

void contention_stop(struct contention *result)
{
    store_release(&this_cpu()->timer_hook, usual_hook);
    watchdog_start_core(); /* the default tick again */
    others_stop();
    found.ratio = spread_of(ratios, found.rounds - found.left_out);
    *result = found;
}

/* SPDX-License-Identifier: MIT */
/*
 * Shared words. `begun` and `done` are the boot core's: the version that it has begun to go to is
 * stored before go_to() is called, the one that it has reached after it returned (releases). Who
 * executes acquires `done` before and `begun` after: whatever it met was of a version from the one
 * to the other. What is seen is each core's own, by context, until it has stopped.
 */
#include "tests/users/load.h"

#include "kernel/mm/mm.h"
#include "kernel/time/time.h"
#include "poke/users/reclaim.h"
#include "smp/percpu.h"
#include "smp/smp.h"
#include "tests/lib/int3_counts.h"
#include "tests/lib/others.h"

#define TIMER_US       200
#define VERSIONS_LEAST 12 /* however slow the machine is */

enum context { IN_THREAD, IN_TIMER, IN_NMI, CONTEXTS };

struct seen {
    uint64_t executions, overlaps, wrong;
    uint64_t value, first, last; /* the first that was wrong, and the versions around it */
};

static uint64_t begun, done;
static struct seen *seen; /* [core][context] */
static const struct user_load *load;

static void execute(enum context context)
{
    struct seen *s = &seen[cpu_index() * CONTEXTS + context];
    uint64_t turn = s->executions++;
    uint64_t first = load_acquire(&done);
    uint64_t value = load->run(turn);
    uint64_t last = load_acquire(&begun);

    s->overlaps += first != last;
    if (load->allowed(value, turn, first, last) || s->wrong++)
        return;
    s->value = value;
    s->first = first;
    s->last = last;
}

static void in_timer(void)
{
    execute(IN_TIMER);
}

static void in_nmi(void)
{
    execute(IN_NMI);
}

static void executor(__attribute__((unused)) void *arg)
{
    store_release(&this_cpu()->timer_hook, in_timer);
    store_release(&this_cpu()->nmi_hook, in_nmi);
    smp_timer_start(TIMER_US);
    while (others_go_on()) {
        execute(IN_THREAD);
        text_quiescent_point();
        cpu_relax();
    }
    smp_timer_start(0);
    store_release(&this_cpu()->timer_hook, NULL);
    store_release(&this_cpu()->nmi_hook, NULL);
}

static enum poke_error next_version(void)
{
    store_release(&begun, begun + 1);
    for_each_online_cpu (core)
        if (core != 0)
            smp_send_nmi((unsigned)core);
    enum poke_error e = load->go_to(begun);
    store_release(&done, begun);
    return e;
}

static void judge(struct test_run *t)
{
    static const enum test_exposure exposures[CONTEXTS] = { SEE_EXECUTIONS, SEE_TIMER_EXECUTIONS,
                                                            SEE_NMI_EXECUTIONS };

    for (unsigned i = 0; i < smp_possible() * CONTEXTS; i++) {
        const struct seen *s = &seen[i];

        saw(exposures[i % CONTEXTS], s->executions);
        saw(SEE_OVERLAPS, s->overlaps);
        if (s->wrong)
            FAIL("core %u, context %u: %llu wrong executions, the first gave 0x%llx between "
                 "versions %llu and %llu",
                 i / CONTEXTS, i % CONTEXTS, (unsigned long long)s->wrong,
                 (unsigned long long)s->value, (unsigned long long)s->first,
                 (unsigned long long)s->last);
    }
}

void user_load_run(struct test_run *t, const struct user_load *l)
{
    size_t bytes = smp_possible() * CONTEXTS * sizeof *seen;
    struct poke_counters before = *poke_counters();
    uint64_t hits = int3_counts().hits;
    enum poke_error e = POKE_OK;

    seen = pages_alloc_virt((bytes + PAGE_SIZE - 1) / PAGE_SIZE);
    if (!seen) {
        ERROR("no memory for what is seen");
        return;
    }
    load = l;
    begun = done = 0;
    others_start(t, 0, executor, NULL);
    uint64_t end = rdtsc() + time_ns_to_ticks(test_duration_ms(t) * 1000000);
    while (!e && (rdtsc() < end || begun % 2 || begun < VERSIONS_LEAST))
        e = next_version();
    others_stop();

    judge(t);
    EXPECT_EQ(e, POKE_OK);
    EXPECT_EQ(poke_counters()->order_violations, before.order_violations);
    saw(SEE_PATCHES, poke_counters()->sites - before.sites);
    saw(SEE_ORDER_CHECKS, poke_counters()->order_checked - before.order_checked);
    saw(SEE_INT3_HITS, int3_counts().hits - hits);
    json_uint(&t->data, "versions", begun);
}

/* SPDX-License-Identifier: MIT */
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

enum poke_error user_go_to_next(const struct user_load *l, struct user_versions *v)
{
    uint64_t version = v->begun + 1;

    store_release(&v->begun, version); /* both pair with the acquires in user_execute() */
    for_each_online_cpu (core)
        if ((unsigned)core != cpu_index())
            smp_send_nmi((unsigned)core);
    enum poke_error e = l->go_to(version);
    store_release(&v->done, version);
    return e;
}

void user_execute(const struct user_load *l, const struct user_versions *v, struct user_seen *s)
{
    uint64_t turn = s->executions++;
    uint64_t first = load_acquire(&v->done);
    uint64_t value = l->run(turn);
    uint64_t last = load_acquire(&v->begun);

    s->overlaps += first != last;
    if (l->allowed(value, turn, first, last) || s->wrong++)
        return;
    s->value = value;
    s->first = first;
    s->last = last;
}

void user_report_seen(struct test_run *t, const char *name, const struct user_seen *s,
                      unsigned core, enum user_context context)
{
    static const enum test_exposure exposures[USER_CONTEXTS] = { SEE_EXECUTIONS,
                                                                 SEE_TIMER_EXECUTIONS,
                                                                 SEE_NMI_EXECUTIONS };

    saw(exposures[context], s->executions);
    saw(SEE_OVERLAPS, s->overlaps);
    if (s->wrong)
        FAIL("%s: core %u, context %u: %llu wrong executions, the first gave 0x%llx between "
             "versions %llu and %llu",
             name, core, (unsigned)context, (unsigned long long)s->wrong,
             (unsigned long long)s->value, (unsigned long long)s->first,
             (unsigned long long)s->last);
}

/* ---- one user: the boot core patches, all others execute ---- */

static struct user_versions versions; /* the boot core's */
static struct user_seen *seen;        /* [core][context] */
static const struct user_load *load;

static void execute(enum user_context context)
{
    user_execute(load, &versions, &seen[cpu_index() * USER_CONTEXTS + context]);
}

static void in_timer(void)
{
    execute(USER_TIMER);
}

static void in_nmi(void)
{
    execute(USER_NMI);
}

static void executor(__attribute__((unused)) void *arg)
{
    store_release(&this_cpu()->timer_hook, in_timer);
    store_release(&this_cpu()->nmi_hook, in_nmi);
    smp_timer_start(TIMER_US);
    while (others_go_on()) {
        execute(USER_THREAD);
        text_quiescent_point();
        cpu_relax();
    }
    smp_timer_start(0);
    store_release(&this_cpu()->timer_hook, NULL);
    store_release(&this_cpu()->nmi_hook, NULL);
}

void user_load_run(struct test_run *t, const struct user_load *l)
{
    size_t bytes = smp_possible() * USER_CONTEXTS * sizeof *seen;
    struct poke_counters before = *poke_counters();
    uint64_t hits = int3_counts().hits;
    enum poke_error e = POKE_OK;

    seen = pages_alloc_virt((bytes + PAGE_SIZE - 1) / PAGE_SIZE);
    if (!seen) {
        ERROR("no memory for what is seen");
        return;
    }
    load = l;
    versions = (struct user_versions){ 0 };
    others_start(t, 0, executor, NULL);
    uint64_t end = rdtsc() + time_ns_to_ticks(test_duration_ms(t) * 1000000);
    while (!e && (rdtsc() < end || versions.begun % 2 || versions.begun < VERSIONS_LEAST))
        e = user_go_to_next(load, &versions);
    others_stop();

    for (unsigned i = 0; i < smp_possible() * USER_CONTEXTS; i++)
        user_report_seen(t, t->test->name, &seen[i], i / USER_CONTEXTS, i % USER_CONTEXTS);
    EXPECT_EQ(e, POKE_OK);
    EXPECT_EQ(poke_counters()->order_violations, before.order_violations);
    saw(SEE_PATCHES, poke_counters()->sites - before.sites);
    saw(SEE_ORDER_CHECKS, poke_counters()->order_checked - before.order_checked);
    saw(SEE_INT3_HITS, int3_counts().hits - hits);
    json_uint(&t->data, "versions", versions.begun);
}

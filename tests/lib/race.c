/* SPDX-License-Identifier: MIT */
#include "tests/lib/race.h"

#include "kernel/console/console.h"
#include "kernel/lib/fmt.h"
#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "kernel/time/time.h"
#include "smp/smp.h"
#include "tests/harness/live.h"

#define PROGRESS_NS 5000000000ull
/* One in so many executions may outlive the history of its site; with more the oracle is blind. */
#define UNJUDGED_SHARE 1000

static struct race_result result;
static struct exec_orders orders;

/* Engine counters and hits at the begin of the race. */
static struct poke_counters counters_before;
static uint64_t *hits_before;

uint64_t race_int3_hits(unsigned core)
{
    return load_relaxed(&machine_poke_core(core)->int3_hits) - hits_before[core];
}

static bool remember_counters(void)
{
    size_t bytes = smp_possible() * sizeof *hits_before;

    if (!hits_before)
        hits_before = pages_alloc_virt((bytes + PAGE_SIZE - 1) / PAGE_SIZE);
    if (!hits_before)
        return false;
    for (unsigned i = 0; i < smp_possible(); i++)
        hits_before[i] = load_relaxed(&machine_poke_core(i)->int3_hits);
    text_mutex_lock();
    counters_before = *poke_counters();
    poke_order_reset();
    text_mutex_unlock();
    return true;
}

static bool prepare(struct test_run *t, const struct race_plan *plan, struct prng *rng)
{
    memset(&result, 0, sizeof result);
    memset(&orders, 0, sizeof orders);
    *rng = test_prng(t);
    if (!site_set_build(&result.set, plan->specs, plan->count, rng) || !remember_counters()) {
        ERROR("the sites could not be built");
        return false;
    }
    result.patcher = (struct patcher){ .set = &result.set,
                                       .rng = rng,
                                       .focus = &orders.focus,
                                       .patch = plan->patch,
                                       .single_times = plan->single_times,
                                       .batch_times = plan->batch_times };
    orders.set = &result.set;
    if (plan->prepare)
        plan->prepare(&result.set);
    /* The same number of timer interrupts in all, however many cores share the host. */
    orders.timer_us = plan->interrupts ? 250 * smp_online() : 0;
    orders.nmis = plan->interrupts && smp_has_nmis();
    orders.parks = plan->parks;
    return true;
}

static enum poke_error use_protocol(const struct poke_protocol *row)
{
    text_mutex_lock();
    enum poke_error e = poke_select_protocol(row);
    text_mutex_unlock();
    return e;
}

/* For who watches a long race. The executors' counters are read as they are. */
static void look(const struct race_plan *plan)
{
    struct live_counts counts = {
        .patches = result.patcher.singles + result.patcher.batch_sites,
        .latency = plan->single_times ? &plan->single_times->phase[PHASE_TOTAL] : NULL,
    };

    for_each_online_cpu (i) {
        for (unsigned c = 0; c < EXEC_CONTEXTS; c++)
            counts.executions += load_relaxed(&executor((unsigned)i)->view[c].executions);
    }
    live_show(&counts);
}

/* Between two patches: none is timed meanwhile. */
static void show_progress(const struct race_plan *plan, uint64_t since, uint64_t *next)
{
    uint64_t now = time_ticks_to_ns(rdtsc() - since);

    if (live_is_due())
        look(plan);
    if (now < *next)
        return;
    *next += PROGRESS_NS;
    con_printf("# progress %llu s, %llu single patches, %llu batches of %llu sites, %u findings\n",
               (unsigned long long)(now / 1000000000), (unsigned long long)result.patcher.singles,
               (unsigned long long)result.patcher.batches,
               (unsigned long long)result.patcher.batch_sites, load_relaxed(&orders.findings));
}

/* Slow machines get more time, so that they see as much; within limits. */
static bool time_is_over(const struct race_plan *plan, uint64_t begin)
{
    uint64_t passed = rdtsc() - begin, length = time_ns_to_ticks(plan->ms * 1000000);

    if (result.patcher.singles + result.patcher.batches < plan->least_runs)
        length *= 5;
    return passed >= length;
}

/*
 * There is nothing more to learn: the first finding counts, and torn code may do anything. A step
 * out of its order is kept by the engine, and does not end the race that may show its effect.
 */
static bool is_lost(const struct race_plan *plan, const struct patcher *p)
{
    return (load_relaxed(&orders.findings) && !plan->count_all) || p->error != POKE_OK;
}

static void patch_loop(const struct race_plan *plan)
{
    struct patcher *p = &result.patcher;
    uint64_t begin = rdtsc(), next_progress = PROGRESS_NS;

    while (!time_is_over(plan, begin) && !is_lost(plan, p) && !(plan->progress && live_skip())) {
        if (prng_below(p->rng, 100) < plan->batch_percent)
            patch_many(p);
        else
            patch_one(p);
        if (plan->progress)
            show_progress(plan, begin, &next_progress);
        cpu_relax(); /* a protocol without a sync would never let the others run */
    }
    result.ns = time_ticks_to_ns(rdtsc() - begin);
}

/* ---- what came out ---- */

/* Torn says more than stale: an instruction that never was, against one that was late. */
static void take_finding(const struct finding *f)
{
    bool better = result.finding.outcome <= OUTCOME_STALE && f->outcome > OUTCOME_STALE;

    if (f->outcome != OUTCOME_LEGAL && (result.finding.outcome == OUTCOME_LEGAL || better))
        result.finding = *f;
}

static void collect_core(unsigned core, uint8_t seen[static SITES_MAX])
{
    const struct executor *e = executor(core);
    uint64_t hits = race_int3_hits(core);

    for (unsigned c = 0; c < EXEC_CONTEXTS; c++) {
        const struct exec_view *view = &e->view[c];

        result.executions[c] += view->executions;
        for (unsigned o = 0; o < OUTCOMES; o++)
            result.outcomes[o] += view->outcomes[o];
        for (unsigned v = 0; v < 32; v++)
            result.vectors[v] += view->vectors[v];
        result.overlaps += view->overlaps;
        for (unsigned k = 0; k < SITE_KINDS; k++)
            result.by_kind[k] += view->by_kind[k];
        for (unsigned s = 0; s < SITES_MAX; s++)
            seen[s] |= view->seen[s];
        take_finding(&view->first);
    }
    result.parks_in_batch += e->parks_in_batch;
    result.int3_hits += hits;
    if (hits && core != cpu_index())
        result.int3_cores++;
}

static void count_images(const uint8_t seen[static SITES_MAX])
{
    for (unsigned i = 0; i < result.set.count; i++) {
        result.images += result.set.sites[i].images;
        for (unsigned image = 0; image < SITE_IMAGES_MAX; image++)
            result.images_seen += seen[i] >> image & 1;
    }
}

static void collect_engine(void)
{
    text_mutex_lock();
    const struct poke_counters *now = poke_counters();
    const struct poke_order_fault *fault = poke_first_fault();

    result.counters.batches = now->batches - counters_before.batches;
    result.counters.sites = now->sites - counters_before.sites;
    result.counters.syncs = now->syncs - counters_before.syncs;
    result.counters.windows = now->windows - counters_before.windows;
    result.counters.stores = now->stores - counters_before.stores;
    result.counters.retire_waits = now->retire_waits - counters_before.retire_waits;
    result.counters.flushes = now->flushes - counters_before.flushes;
    result.counters.order_checked = now->order_checked - counters_before.order_checked;
    result.counters.order_violations = now->order_violations - counters_before.order_violations;
    result.order_violated = fault;
    if (fault)
        result.order_fault = *fault;
    text_mutex_unlock();
}

static void collect(void)
{
    uint8_t seen[SITES_MAX] = { 0 };

    for_each_online_cpu (i)
        collect_core((unsigned)i, seen);
    count_images(seen);
    collect_engine();
    result.wrong_text = patcher_wrong_text(&result.patcher);
}

const struct race_result *race_run(struct test_run *t, const struct race_plan *plan)
{
    struct prng rng;

    if (!prepare(t, plan, &rng))
        return &result;
    result.executors = executors_start(&orders);
    if (use_protocol(plan->protocol) == POKE_OK)
        patch_loop(plan);
    executors_stop(&orders);
    use_protocol(NULL);
    collect();
    result.patcher.rng = NULL; /* it lives on this stack */
    result.ran = result.executors > 0 && result.executors == smp_online() - 1;
    if (!result.ran)
        ERROR("%u of %u executors could be started", result.executors, smp_online() - 1);
    return &result;
}

/* ---- what it means ---- */

void race_describe_finding(const struct race_result *r, char *out, size_t size)
{
    oracle_describe(&r->finding, out, size);
}

void race_describe_order(const struct race_result *r, char *out, size_t size)
{
    const struct poke_order_fault *f = &r->order_fault;

    fmt_print(out, size, "order: %s (batch %llu, sync %u, core %u, site 0x%llx)", f->what,
              (unsigned long long)f->batch, f->sync, f->core, (unsigned long long)f->site);
}

static void judge_findings(struct test_run *t, const struct race_result *r)
{
    char text[sizeof t->reason];

    if (r->finding.outcome != OUTCOME_LEGAL) {
        race_describe_finding(r, text, sizeof text);
        FAIL("%s", text);
    }
    if (r->order_violated) {
        race_describe_order(r, text, sizeof text);
        FAIL("%s", text);
    }
}

void race_judge(struct test_run *t, const struct race_result *r)
{
    const struct patcher *p = &r->patcher;
    uint64_t executions =
        r->executions[EXEC_THREAD] + r->executions[EXEC_TIMER] + r->executions[EXEC_NMI];

    if (!r->ran)
        return;
    judge_findings(t, r);
    if (p->error != POKE_OK)
        FAIL("the engine refused a legal patch of site %u: %s", p->error_site,
             poke_error_text(p->error));
    if (r->wrong_text >= 0)
        FAIL("site %d does not hold its last version", r->wrong_text);
    if (r->counters.order_checked != r->counters.batches)
        FAIL("order: %llu of %llu batches were checked",
             (unsigned long long)r->counters.order_checked,
             (unsigned long long)r->counters.batches);
    if (r->outcomes[OUTCOME_UNJUDGED] * UNJUDGED_SHARE > executions)
        WEAK("%llu of %llu executions could not be judged",
             (unsigned long long)r->outcomes[OUTCOME_UNJUDGED], (unsigned long long)executions);
    if (r->images_seen < r->images)
        WEAK("saw %u of %u images executed", r->images_seen, r->images);
    if (r->int3_cores < r->executors)
        WEAK("%u of %u executing cores met an INT3", r->int3_cores, r->executors);
    saw(SEE_EXECUTIONS, executions);
    saw(SEE_OVERLAPS, r->overlaps);
    saw(SEE_TIMER_EXECUTIONS, r->executions[EXEC_TIMER]);
    saw(SEE_NMI_EXECUTIONS, r->executions[EXEC_NMI]);
    saw(SEE_PATCHES, p->singles + p->batch_sites);
    saw(SEE_BATCHES, r->counters.batches);
    saw(SEE_INT3_HITS, r->int3_hits);
    saw(SEE_INT3_CORES, r->int3_cores);
    saw(SEE_CROSSINGS, p->crossings);
    saw(SEE_IMAGES, r->images_seen);
    saw(SEE_ORDER_CHECKS, r->counters.order_checked);
    saw(SEE_PARKS, r->parks_in_batch);
    saw(SEE_CORES, r->executors + 1);
}

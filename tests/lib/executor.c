/* SPDX-License-Identifier: MIT */
#include "tests/lib/executor.h"

#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "smp/smp.h"
#include "smp/watchdog.h"
#include "tests/lib/table_refs.h"

#define THREAD_ROUND    4 /* sites between two looks at the world */
#define INTERRUPT_ROUND 2
#define ROUNDS_PER_NMI  32
#define ROUNDS_PER_PARK 24
#define ROUNDS_PER_WAKE 4

/* One block per possible core, allocated once and cleared for each race. */
static struct executor *executors;
static struct exec_orders *orders;

/* ---- one execution ---- */

static void keep_finding(struct exec_view *view, const struct finding *f)
{
    view->outcomes[f->outcome]++;
    if (f->outcome == OUTCOME_FAULT)
        view->vectors[f->caught.vector % 32]++;
    if (view->first.outcome != OUTCOME_LEGAL)
        return;
    view->first = *f;
    memcpy(view->first.text, f->site->slot, f->site->len);
    fetch_add(&orders->findings, 1);
}

/* Not the plain case of one version: look closer. */
static void judge(struct exec_view *view, const struct site *s, uint64_t hi, uint32_t got,
                  enum exec_context context)
{
    uint64_t lo = view->running_lo;
    unsigned image = 0;
    enum outcome outcome = oracle_judge(s, lo, hi, got, &image);

    view->overlaps += lo != hi && outcome != OUTCOME_UNJUDGED;
    if (outcome == OUTCOME_LEGAL) {
        view->by_kind[s->image[image].kind]++;
        view->seen[s->index] |= (uint8_t)(1u << image);
    } else if (outcome == OUTCOME_UNJUDGED) {
        view->outcomes[OUTCOME_UNJUDGED]++;
    } else {
        struct finding f = { .outcome = outcome,
                             .context = context,
                             .core = cpu_index(),
                             .site = s,
                             .got = got,
                             .lo = lo,
                             .hi = hi };
        keep_finding(view, &f);
    }
}

/* Both stack alignments for every site, in no rhythm with the rounds (multiplicative hash). */
static uint64_t stack_shift(uint64_t execution)
{
    return execution * 0x9e3779b97f4a7c15ull >> 63 ? 8 : 0;
}

static void execute(struct exec_view *view, const struct site *s, enum exec_context context)
{
    view->running = s;
    /* Pairs with the patcher's release of `done`; oracle.h. */
    view->running_lo = load_acquire(&s->done);
    uint32_t got = site_call(s->entry, stack_shift(view->executions));
    /* Pairs with the patcher's release of `begin`. */
    uint64_t hi = load_acquire(&s->begin);

    view->executions++;
    unsigned image = site_image_of(s, hi);
    if (view->running_lo == hi && s->image[image].signature == got) {
        view->by_kind[s->image[image].kind]++;
        view->seen[s->index] |= (uint8_t)(1u << image);
        return;
    }
    judge(view, s, hi, got, context);
}

/* ---- one round ---- */

struct round {
    struct exec_view *view;
    enum exec_context context;
    unsigned sites;
};

static void round_body(void *arg)
{
    const struct round *r = arg;
    const struct site_set *set = orders->set;
    struct exec_view *view = r->view;

    execute(view, &set->sites[load_relaxed(&orders->focus)], r->context);
    for (unsigned i = 1; i < r->sites; i++) {
        view->cursor = view->cursor + 1 < set->count ? view->cursor + 1 : 0;
        execute(view, &set->sites[view->cursor], r->context);
    }
}

static void run_round(struct executor *e, enum exec_context context, unsigned sites)
{
    struct round r = { &e->view[context], context, sites };
    struct trap_caught caught;

    /* Once around the whole round: `running` tells which site it was. */
    if (trap_try(round_body, &r, &caught))
        return;
    struct finding f = { .outcome = OUTCOME_FAULT,
                         .context = context,
                         .core = e->core,
                         .site = r.view->running,
                         .lo = r.view->running_lo,
                         .hi = load_acquire(&r.view->running->begin),
                         .caught = caught };
    r.view->executions++;
    keep_finding(r.view, &f);
}

/* ---- the contexts ---- */

static void on_timer(void)
{
    run_round(&executors[cpu_index()], EXEC_TIMER, INTERRUPT_ROUND);
}

static void on_nmi(void)
{
    struct executor *e = &executors[cpu_index()];

    if (e->view[EXEC_NMI].busy)
        return;
    e->view[EXEC_NMI].busy = true;
    compiler_barrier(); /* against this core's own NMIs only */
    run_round(e, EXEC_NMI, INTERRUPT_ROUND);
    compiler_barrier();
    e->view[EXEC_NMI].busy = false;
}

static void hooks_on(void)
{
    if (orders->nmis)
        store_release(&this_cpu()->nmi_hook, on_nmi);
    if (orders->timer_us)
        store_release(&this_cpu()->timer_hook, on_timer);
}

static void hooks_off(void)
{
    store_release(&this_cpu()->timer_hook, NULL);
    store_release(&this_cpu()->nmi_hook, NULL);
}

/* The next online core after `core`, round and round. */
static unsigned neighbour(unsigned core)
{
    int next = smp_next_online((int)core);

    return (unsigned)(next >= 0 ? next : smp_next_online(-1));
}

/* Leave until the first executor wakes this core. */
static void park(struct executor *e)
{
    smp_park();
    e->parks++;
    /* Published: a batch is between its first store and its retire. A hint, nothing is read. */
    e->parks_in_batch += table_refs(e->core) != 0;
    if (orders->timer_us)
        smp_timer_start(orders->timer_us);
}

static void park_or_wake(struct executor *e, unsigned rounds)
{
    unsigned first = neighbour(0);

    if (e->core != first) {
        if (rounds % ROUNDS_PER_PARK == 0)
            park(e);
    } else if (rounds % ROUNDS_PER_WAKE == 0) {
        smp_unpark(rounds / ROUNDS_PER_WAKE % smp_possible());
    }
}

static void executor_main(void *arg)
{
    struct executor *e = arg;
    unsigned victim = neighbour(e->core);

    hooks_on();
    if (orders->timer_us)
        smp_timer_start(orders->timer_us);
    /* Pairs with the release in executors_stop(). */
    for (unsigned rounds = 1; !load_acquire(&orders->stop); rounds++) {
        run_round(e, EXEC_THREAD, THREAD_ROUND);
        if (orders->nmis && rounds % ROUNDS_PER_NMI == 0) {
            smp_send_nmi(victim);
            victim = neighbour(victim);
        }
        if (orders->parks)
            park_or_wake(e, rounds);
        cpu_relax();
    }
    hooks_off();
    watchdog_start_core(); /* the default tick again */
}

/* ---- all cores ---- */

static bool executors_clear(void)
{
    size_t bytes = smp_possible() * sizeof *executors;

    if (!executors)
        executors = pages_alloc_virt((bytes + PAGE_SIZE - 1) / PAGE_SIZE);
    if (!executors)
        return false;
    memset(executors, 0, bytes);
    for (unsigned i = 0; i < smp_possible(); i++)
        executors[i].core = i;
    return true;
}

unsigned executors_start(struct exec_orders *given)
{
    unsigned started = 0;

    orders = given;
    if (!executors_clear())
        return 0;
    for_each_online_cpu (i) {
        if ((unsigned)i != cpu_index() && smp_start_work((unsigned)i, executor_main, &executors[i]))
            started++;
    }
    hooks_on();
    return started;
}

void executors_stop(struct exec_orders *given)
{
    store_release(&given->stop, 1); /* pairs with the acquire in executor_main() */
    for (unsigned i = 0; i < smp_possible(); i++) {
        while (!smp_work_done(i)) { /* a parked one has to come back for it */
            smp_unpark(i);
            cpu_relax();
        }
    }
    hooks_off();
}

const struct executor *executor(unsigned core)
{
    return &executors[core];
}

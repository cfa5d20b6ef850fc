/* SPDX-License-Identifier: MIT */
/*
 * I18, the contexts that i18_interrupts (transitions.c) does not have: sites that are executed in a
 * page fault handler, in interrupts and NMIs out of the idle loop's HLT and in the work that ends
 * it, in an interrupt from another core, and in the handler of the sync itself: before it
 * serialises, when any byte of the patch may be fetched, and after it has acknowledged, when the
 * patcher already goes on.
 */
#include "kernel/lib/string.h"
#include "smp/apic.h"
#include "smp/watchdog.h"
#include "tests/lib/oracle.h"
#include "tests/lib/others.h"
#include "tests/lib/patcher.h"
#include "tests/lib/patience.h"

#define IDLE_MS    150
#define BUSY_MS    200
#define TIMER_US   250 /* times the number of cores, which may share a host */
#define RUNS_LEAST 60  /* a slow machine gets more time for them */
#define HITS_MIN   10

enum context {
    IN_PAGE_FAULT,
    IN_IDLE,
    IN_IDLE_NMI,
    IN_WORK,
    IN_IPI,
    BEFORE_SYNC,
    AFTER_SYNC,
    CONTEXTS
};
static const char *const names[CONTEXTS] = { "page_fault", "idle",        "idle_nmi",  "work",
                                             "ipi",        "before_sync", "after_sync" };

/* Every core adds to the counts; `focus` is the patcher's, a hint. */
static struct {
    struct site_set set;
    uint32_t focus;
    uint64_t executions[CONTEXTS], hits[CONTEXTS];
    uint32_t unjudged, wrong; /* the wrong one that gets number 0 is kept */
    struct finding first;
    enum context first_context;
} run;

/* ---- one execution ---- */

static void keep(const struct finding *f, enum context context)
{
    if (f->outcome == OUTCOME_UNJUDGED) {
        fetch_add(&run.unjudged, 1);
        return;
    }
    if (fetch_add(&run.wrong, 1) != 0)
        return;
    run.first = *f;
    run.first_context = context;
    memcpy(run.first.text, f->site->slot, f->site->len);
}

static void call_site(void *finding)
{
    struct finding *f = finding;

    f->got = site_call(f->site->entry, f->lo & 1 ? 8 : 0);
}

static void execute(enum context context)
{
    uint64_t *hits = &machine_poke_core(cpu_index())->int3_hits, before = load_relaxed(hits);
    uint64_t n = fetch_add(&run.executions[context], 1);
    /* Now the site that is being patched, now another one. */
    unsigned which = n & 1 ? (unsigned)(n / 2 % run.set.count) : load_relaxed(&run.focus);
    struct finding f = { .core = cpu_index(), .site = &run.set.sites[which] };
    unsigned image;

    f.lo = load_acquire(&f.site->done); /* tests/lib/oracle.h has the pairs */
    bool returned = trap_try(call_site, &f, &f.caught);
    f.hi = load_acquire(&f.site->begin);
    f.outcome = returned ? oracle_judge(f.site, f.lo, f.hi, f.got, &image) : OUTCOME_FAULT;
    if (f.outcome != OUTCOME_LEGAL)
        keep(&f, context);
    fetch_add(&run.hits[context], load_relaxed(hits) - before);
}

/* ---- the contexts ---- */

/* A read of nowhere, and where to go on. */
__asm__(".pushsection .text\n"
        "fault_here: mov (%rdi), %al\n"
        "fault_return: ret\n"
        ".popsection");
extern void fault_here(const void *address);
extern const uint8_t fault_return[];

static const void *const nowhere = (void *)0x123456789000;

static bool on_page_fault(struct trap_frame *frame)
{
    if (frame->rip != (uint64_t)fault_here)
        return false;
    execute(IN_PAGE_FAULT);
    frame->rip = (uint64_t)fault_return;
    return true;
}

static void on_timer(void)
{
    if (load_relaxed(&this_cpu()->state) == CPU_IDLE)
        execute(IN_IDLE);
}

static void on_nmi(void)
{
    if (load_relaxed(&this_cpu()->state) == CPU_IDLE)
        execute(IN_IDLE_NMI);
}

static void work(__attribute__((unused)) void *arg)
{
    execute(IN_WORK);
}

static bool on_ipi(__attribute__((unused)) struct trap_frame *frame)
{
    execute(IN_IPI);
    apic_eoi();
    return true;
}

static trap_handler sync;

static bool on_sync(struct trap_frame *frame)
{
    execute(BEFORE_SYNC);
    sync(frame);
    execute(AFTER_SYNC);
    return true;
}

static void timer_on(__attribute__((unused)) void *arg)
{
    store_release(&this_cpu()->timer_hook, on_timer); /* pairs with the loads in run_hook() */
    store_release(&this_cpu()->nmi_hook, on_nmi);
    smp_timer_start(TIMER_US * smp_online());
}

static void timer_off(__attribute__((unused)) void *arg)
{
    store_release(&this_cpu()->timer_hook, NULL);
    store_release(&this_cpu()->nmi_hook, NULL);
    watchdog_start_core(); /* the default tick again */
}

/* Fault, and interrupt a neighbour, which may be the patcher. */
static void be_busy(__attribute__((unused)) void *arg)
{
    unsigned victim = cpu_index();

    for (unsigned n = 0; others_go_on(); n++) {
        fault_here(nowhere);
        if (n % 4 == 0) {
            int next = smp_next_online((int)victim);

            victim = (unsigned)(next < 0 ? smp_next_online(-1) : next);
            if (victim != cpu_index())
                smp_send_ipi(victim, VECTOR_TEST);
        }
        cpu_relax();
    }
}

/* A cross-call reaches cores that wait for work as well; a core sync does not. */
static void take_all(__attribute__((unused)) void *arg)
{
}

/* ---- the race ---- */

static void interrupt(unsigned core)
{
    smp_send_ipi(core, VECTOR_TEST);
}

/* In one of three ways. */
static void wake(unsigned core)
{
    static unsigned n;

    switch (n++ % 3) {
    case 0:
        interrupt(core);
        break;
    case 1:
        smp_send_nmi(core);
        break;
    case 2:
        smp_start_work(core, work, NULL); /* not if it is still at the last */
    }
}

/* Was an INT3 met often enough in each context from `first` to `last`? */
static bool all_hit(enum context first, enum context last)
{
    for (enum context c = first; c <= last; c++)
        if (load_relaxed(&run.hits[c]) < HITS_MIN)
            return false;
    return true;
}

/* The contexts that a phase is for: those of idle cores, and the rest. */
static bool idle_hit(void)
{
    return all_hit(IN_IDLE, IN_WORK);
}

static bool busy_hit(void)
{
    return all_hit(IN_PAGE_FAULT, IN_PAGE_FAULT) && all_hit(IN_IPI, AFTER_SYNC);
}

static void patch_for(struct patcher *p, unsigned ms, void (*disturb)(unsigned core),
                      bool (*hit)(void))
{
    uint64_t begin = rdtsc(), runs = p->singles + p->batches + RUNS_LEAST;

    while (!loop_is_over(begin, ms, p->singles + p->batches >= runs && hit()) &&
           p->error == POKE_OK && !load_relaxed(&run.wrong)) {
        for (int core = smp_next_online(0); core >= 0; core = smp_next_online(core))
            disturb((unsigned)core);
        if (prng_below(p->rng, 4) == 0)
            patch_many(p);
        else
            patch_one(p);
        cpu_relax();
    }
}

static void wait_for_work(void)
{
    for (int core = smp_next_online(0); core >= 0; core = smp_next_online(core))
        smp_wait_work((unsigned)core);
}

static void judge(struct test_run *t, const struct patcher *p)
{
    char text[sizeof t->reason];

    if (run.wrong) {
        oracle_describe(&run.first, text, sizeof text);
        FAIL("in %s: %s", names[run.first_context], text);
    }
    EXPECT_EQ(p->error, POKE_OK);
    EXPECT_EQ(patcher_wrong_text(p), -1);
    for (unsigned c = 0; c < CONTEXTS; c++) {
        json_object(&t->data, names[c]);
        json_uint(&t->data, "executions", run.executions[c]);
        json_uint(&t->data, "int3_hits", run.hits[c]);
        json_object_end(&t->data);
        if (run.hits[c] < HITS_MIN)
            WEAK("%llu INT3s were met in context %s, needs %u", (unsigned long long)run.hits[c],
                 names[c], HITS_MIN);
        saw(SEE_EXECUTIONS, run.executions[c]);
        saw(SEE_INT3_HITS, run.hits[c]);
    }
    saw(SEE_PATCHES, p->singles + p->batch_sites);
}

TEST_BARE(
    "interrupts of its own", poke, i18_contexts,
    "sites in page faults, in idle cores' interrupts, in IPIs and around the sync itself are whole",
    .cpus = 2, .budget_ms = 900,
    .must_see = { { SEE_PATCHES, 100 }, { SEE_EXECUTIONS, 1000 }, { SEE_INT3_HITS, 200 } })
{
    static const struct site_spec specs[] = { { SITE_5, 0x0208 },
                                              { SITE_6_JCC, 0x033e },
                                              { SITE_2, 0x0fff } };
    struct prng rng = test_prng(t);

    memset(&run, 0, sizeof run);
    REQUIRE(site_set_build(&run.set, specs, sizeof specs / sizeof specs[0], &rng));
    struct patcher patcher = { .set = &run.set, .rng = &rng, .focus = &run.focus };

    trap_handler page_fault = trap_set_handler(TRAP_PF, on_page_fault);
    trap_handler test = trap_set_handler(VECTOR_TEST, on_ipi);

    sync = trap_set_handler(VECTOR_SYNC, NULL);
    trap_set_handler(VECTOR_SYNC, on_sync);
    smp_call_all(timer_on, NULL);
    patch_for(&patcher, IDLE_MS, wake, idle_hit);
    wait_for_work();
    smp_call_all(timer_off, NULL);
    others_start(t, 0, be_busy, NULL);
    patch_for(&patcher, BUSY_MS, interrupt, busy_hit);
    others_stop();
    smp_call_all(take_all, NULL); /* cores have taken what was sent to them before */
    trap_set_handler(VECTOR_SYNC, sync);
    trap_set_handler(VECTOR_TEST, test);
    trap_set_handler(TRAP_PF, page_fault);
    judge(t, &patcher);
}

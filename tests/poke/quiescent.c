/* SPDX-License-Identifier: MIT */
/*
 * I26 for cores that wait for work: a core sync does not interrupt them; what ends the wait, an
 * interrupt, an NMI or work, finds the new instruction, and is waited for by syncs from its first
 * instruction on. contexts.c has the race of the two.
 */
#include "kernel/cpu/regs.h"
#include "kernel/lib/string.h"
#include "kernel/time/time.h"
#include "smp/internal.h"
#include "smp/watchdog.h"
#include "tests/harness/test.h"
#include "tests/lib/others.h"
#include "tests/lib/site.h"
#include "tests/lib/stepping.h"

/* ---- who is asked ---- */

#define ROUNDS 24

static struct {
    struct site_set set;
    unsigned image;
    uint32_t executions, wrong;
} run;

static void execute_all(__attribute__((unused)) void *arg)
{
    for (unsigned i = 0; i < run.set.count; i++) {
        const struct site *s = &run.set.sites[i];

        if (site_call(s->entry, 0) != s->image[run.image].signature)
            fetch_add(&run.wrong, 1);
        fetch_add(&run.executions, 1);
    }
}

static void execute_in_nmi(void)
{
    execute_all(NULL);
}

static void timer_off(__attribute__((unused)) void *arg)
{
    smp_timer_start(0);
}

static void timer_on(__attribute__((unused)) void *arg)
{
    watchdog_start_core();
}

static void wait_until_quiescent(unsigned from)
{
    for (int core = smp_next_online((int)from); core >= 0; core = smp_next_online(core)) {
        while (load_acquire(&percpu((unsigned)core)->quiescence) != CORE_QUIESCENT)
            cpu_relax();
    }
}

static uint64_t sync_counts(unsigned from)
{
    uint64_t sum = 0;

    for (int core = smp_next_online((int)from); core >= 0; core = smp_next_online(core))
        sum += load_relaxed(&percpu((unsigned)core)->sync_count);
    return sum;
}

/* Patch while the cores above `busy` are quiescent: none of these is interrupted. */
static void patch_beside(struct test_run *t, unsigned busy)
{
    unsigned syncs = 3 * run.set.count;

    wait_until_quiescent(busy);
    struct smp_ipi_counts before = smp_ipi_counts();
    uint64_t idle = sync_counts(busy), order = poke_counters()->order_violations;

    text_mutex_lock();
    for (unsigned i = 0; i < run.set.count; i++) {
        const struct site *s = &run.set.sites[i];

        EXPECT_EQ(smp_text_poke_single(s->slot, s->image[run.image].bytes, s->len, NULL), POKE_OK);
        saw(SEE_PATCHES, 1);
    }
    text_mutex_unlock();
    struct smp_ipi_counts after = smp_ipi_counts();
    EXPECT_EQ(after.sync_broadcasts - before.sync_broadcasts, syncs);
    EXPECT_EQ(after.sync_acks - before.sync_acks, syncs * (1 + busy)); /* this core's own, too */
    EXPECT_EQ(sync_counts(busy) - idle, 0);
    EXPECT_EQ(after.calls - before.calls, 0);
    EXPECT_EQ(after.wakes - before.wakes, 0);
    EXPECT_EQ(poke_counters()->order_violations - order, 0);
}

/* Wake every core, in one of three ways, and let it execute all sites. */
static void execute_everywhere(unsigned way)
{
    uint32_t all = (smp_online() - 1) * run.set.count;

    store_relaxed(&run.executions, 0);
    for (int core = smp_next_online(0); core >= 0; core = smp_next_online(core)) {
        if (way == 0)
            smp_call_one((unsigned)core, execute_all, NULL);
        else if (way == 1)
            smp_start_work((unsigned)core, execute_all, NULL);
        else
            smp_send_nmi((unsigned)core);
    }
    while (load_acquire(&run.executions) != all)
        cpu_relax();
    for (int core = smp_next_online(0); core >= 0; core = smp_next_online(core))
        smp_wait_work((unsigned)core);
}

static void set_nmi_hooks(void (*hook)(void))
{
    for (int core = smp_next_online(0); core >= 0; core = smp_next_online(core))
        store_release(&percpu((unsigned)core)->nmi_hook, hook); /* pairs with run_hook() */
}

static uint32_t begun;

static void be_busy(__attribute__((unused)) void *arg)
{
    store_release(&begun, 1);
    while (load_acquire(&begun))
        cpu_relax();
}

TEST_BARE(
    "cores that wait in HLT", poke, i26_idle_is_left_alone,
    "a core that waits for work gets no interrupt from a patch, and runs the new instruction next",
    .cpus = 2, .must_see = { { SEE_PATCHES, 2 * ROUNDS }, { SEE_EXECUTIONS, 2 * ROUNDS } })
{
    static const struct site_spec specs[] = { { SITE_5_CALLS, 0x0208 }, { SITE_5_CALLS, 0x0ffd } };
    struct prng rng = test_prng(t);

    REQUIRE(site_set_build(&run.set, specs, 2, &rng));
    run.wrong = 0;
    smp_call_all(timer_off, NULL); /* a tick is a visit: the core would be asked */
    set_nmi_hooks(execute_in_nmi);
    for (unsigned round = 0; round < ROUNDS; round++) {
        run.image = round & 1;
        patch_beside(t, 0);
        execute_everywhere(round / 2 % 3);
        saw(SEE_EXECUTIONS, run.executions);
    }
    set_nmi_hooks(NULL);
    begun = 0;
    REQUIRE(smp_start_work(1, be_busy, NULL));
    while (!load_acquire(&begun))
        cpu_relax();
    run.image = ROUNDS & 1;
    patch_beside(t, 1);
    store_release(&begun, 0);
    smp_wait_work(1);
    smp_call_all(timer_on, NULL);
    EXPECT_EQ(run.wrong, 0);
}

/* ---- who has left is waited for ---- */

#define STAY_US 2000
#define VISITS  8

/* A trap that is taken in HLT, and lasts. */
static struct {
    uint32_t entered, go_on, left;
    bool away;
} visit;

static void stay(void)
{
    const struct percpu *self = this_cpu();

    if (load_relaxed(&visit.entered))
        return;
    visit.away = self->quiescence != CORE_HERE || self->poke.away_from != 0;
    store_release(&visit.entered, 1);
    while (!load_acquire(&visit.go_on))
        cpu_relax();
    uint64_t begin = rdtsc(), length = time_ns_to_ticks(STAY_US * 1000);
    while (rdtsc() - begin < length)
        cpu_relax();
    store_release(&visit.left, 1);
}

static void visit_and_sync(struct test_run *t, const char *by, bool nmi)
{
    struct percpu *cpu = percpu((unsigned)smp_next_online(0));
    void (**hook)(void) = nmi ? &cpu->nmi_hook : &cpu->timer_hook;

    memset(&visit, 0, sizeof visit);
    wait_until_quiescent(0);
    store_release(hook, stay); /* pairs with run_hook() */
    if (nmi)
        smp_send_nmi(cpu->local.index);
    while (!load_acquire(&visit.entered))
        cpu_relax();
    store_release(&visit.go_on, 1);
    smp_text_poke_sync_each_cpu();
    if (!load_acquire(&visit.left))
        FAIL("a sync did not wait for a core that %s had taken out of HLT", by);
    store_release(hook, NULL);
    while (!load_acquire(&visit.left))
        cpu_relax();
    if (visit.away)
        FAIL("%s came out of HLT, and the core counted as away", by);
    saw(SEE_TRAPS, 1);
}

TEST_BARE("cores that wait in HLT", poke, i26_woken_is_asked,
          "a sync waits for the interrupt or NMI that has taken a core out of its wait", .cpus = 2,
          .budget_ms = 400, .must_see = { { SEE_TRAPS, 2 * VISITS } })
{
    for (unsigned i = 0; i < VISITS; i++) {
        visit_and_sync(t, "a timer interrupt", false);
        visit_and_sync(t, "an NMI", true);
    }
}

/* ---- in which order it leaves ---- */

/* This core alone, in its thread and in the #DB of each step. */
static struct {
    bool stepped;
    unsigned steps, nested_at; /* 0: nowhere */
    unsigned serialised;
    uint32_t serialised_as; /* enum core_quiescence */
    bool nested_away;
} leaving;

/* #DB is a trap as well: it would leave, before there was anything to step through. */
static void first_but_in_steps(void)
{
    if (cpu_index() != 0 || !leaving.stepped)
        quiescent_leave();
}

static bool is_serialising(const uint8_t *insn)
{
    static const uint8_t mov_cr2[] = { 0x0f, 0x22, 0xd0 }, serialize[] = { 0x0f, 0x01, 0xe8 },
                         cpuid[] = { 0x0f, 0xa2 };

    return memcmp(insn, mov_cr2, sizeof mov_cr2) == 0 ||
           memcmp(insn, serialize, sizeof serialize) == 0 || memcmp(insn, cpuid, sizeof cpuid) == 0;
}

static void on_step(const struct trap_frame *frame)
{
    if (is_serialising((const uint8_t *)frame->rip)) {
        leaving.serialised++;
        leaving.serialised_as = this_cpu()->quiescence;
    }
    if (++leaving.steps != leaving.nested_at)
        return;
    quiescent_leave(); /* what an NMI does that comes here */
    leaving.nested_away = this_cpu()->quiescence == CORE_QUIESCENT;
}

static uint64_t leave(__attribute__((unused)) void *arg)
{
    quiescent_leave();
    return 0;
}

static void step_out(struct test_run *t, unsigned nested_at)
{
    const struct percpu *self = this_cpu();

    memset(&leaving, 0, sizeof leaving);
    leaving.nested_at = nested_at;
    uint64_t flags = irq_save();
    quiescent_enter();
    bool was_quiescent = self->quiescence == CORE_QUIESCENT;
    leaving.stepped = true;
    step_call(leave, NULL);
    leaving.stepped = false;
    irq_restore(flags);

    EXPECT(was_quiescent);
    EXPECT_EQ(self->quiescence, CORE_HERE);
    EXPECT_EQ(self->local.quiescent, 0);
    EXPECT_EQ(self->poke.away_from, 0);
    EXPECT_EQ(self->poke.away_logged & 0xffff, 0); /* no round passed meanwhile */
    EXPECT(!leaving.nested_away);
    saw(SEE_TRAPS, leaving.steps);
}

TEST_BARE("an image and page tables of its own", poke, i26_leaving_in_order,
          "a core that ceases to wait is asked, then serialises; an NMI may come between any two "
          "instructions of that",
          .must_see = { { SEE_TRAPS, 100 } })
{
    stepping_begin(on_step);
    trap_set_first(first_but_in_steps);
    step_out(t, 0);
    EXPECT_EQ(leaving.serialised, 1);
    EXPECT_EQ(leaving.serialised_as, CORE_LEAVING);
    unsigned steps = leaving.steps;
    for (unsigned i = 1; i <= steps; i++)
        step_out(t, i);
    trap_set_first(quiescent_leave);
    stepping_end();
}

/* SPDX-License-Identifier: MIT */
/*
 * Does a store become visible while its core spins in a loop that fetches in every cycle? On early
 * Opterons (2004) it could stay hidden as long as the loop lasted. The wait for acknowledgements in
 * a core sync has that shape. One core stores and then spins for a fixed time without any memory
 * access; another one looks for the store all the time. What counts is its last look in vain: that
 * a core was interrupted or preempted only means fewer looks.
 */
#include "kernel/cpu/regs.h"
#include "kernel/lib/string.h"
#include "kernel/time/time.h"
#include "smp/smp.h"
#include "tests/errata/erratum.h"
#include "tests/harness/machine_record.h"
#include "tests/harness/test.h"

#define ROUNDS  40
#define SPINS   400000u /* some 100 us and more: a hundred times what a store takes */
#define WATCHED 10      /* rounds in which the observer looked while the loop ran */

static const struct erratum opteron = {
    .id = "Opteron 2004, store hidden behind instruction fetches",
    .reference = "reported in June 2004; revision guide 25759",
    .hypothesis = "a store stays in the core while a tight loop fetches in every cycle",
    .expected = "visible long before the loop ends",
    .affected = { { VENDOR_AMD, 15, 0, 0x2f } },
};

/*
 * `round` is the observer's, the rest the spinning core's: `stored` before its loop, and behind it
 * the loop's times by the TSC, then `ended` (release).
 */
static struct {
    uint64_t round __attribute__((aligned(CACHE_LINE)));
    uint64_t stored __attribute__((aligned(CACHE_LINE)));
    uint64_t ended __attribute__((aligned(CACHE_LINE)));
    uint64_t begin, end;
} spin;

/* Planted fault: `arg` is not NULL, and the store comes behind the loop. */
static void spin_loop(void *arg)
{
    for (uint64_t n = 1; n <= ROUNDS; n++) {
        uint32_t left = SPINS;

        while (load_acquire(&spin.round) != n) /* pairs with the release in observe() */
            cpu_relax();
        uint64_t flags = irq_save(); /* an interrupt would end the starvation */
        if (!arg)
            store_relaxed(&spin.stored, n);
        uint64_t begin = rdtsc();
        __asm__ volatile("1: dec %0; jnz 1b" : "+r"(left)::"cc");
        spin.end = rdtsc();
        spin.begin = begin;
        store_relaxed(&spin.stored, n);
        irq_restore(flags);
        store_release(&spin.ended, n); /* pairs with the acquire in observe() */
    }
}

struct observed {
    unsigned watched; /* rounds in which it looked between the loop's begin and its end */
    unsigned hidden;  /* rounds in which it looked in vain in the loop's second half */
    uint64_t longest; /* ticks from the loop's begin to a look in vain */
};

static void observe(struct observed *o, uint64_t n)
{
    uint64_t in_vain = 0, at;

    store_release(&spin.round, n); /* pairs with the acquire in spin_loop() */
    for (;;) {
        at = rdtsc(); /* before the load: no look is taken for a later one */
        if (load_relaxed(&spin.stored) == n)
            break;
        in_vain = at;
        cpu_relax();
    }
    while (load_acquire(&spin.ended) != n) /* pairs with the release in spin_loop() */
        cpu_relax();

    uint64_t hidden = in_vain > spin.begin ? in_vain - spin.begin : 0;

    o->watched += hidden || (at > spin.begin && at < spin.end);
    o->hidden += hidden > (spin.end - spin.begin) / 2;
    o->longest = hidden > o->longest ? hidden : o->longest;
}

static void run(struct test_run *t, void *fault)
{
    struct observed o = { 0 };

    if (machine_is_emulated()) {
        SKIP("needs cores that run at the same time: emulated ones take turns");
        return;
    }
    memset(&spin, 0, sizeof spin);
    REQUIRE(smp_start_work((unsigned)smp_next_online(0), spin_loop, fault));
    for (uint64_t n = 1; n <= ROUNDS; n++) {
        observe(&o, n);
        saw(SEE_EXECUTIONS, 1);
    }
    smp_wait_work((unsigned)smp_next_online(0));
    erratum_record(&t->data, &opteron);
    json_uint(&t->data, "rounds", ROUNDS);
    json_uint(&t->data, "watched", o.watched);
    json_uint(&t->data, "hidden", o.hidden);
    json_uint(&t->data, "longest_ns", time_ticks_to_ns(o.longest));
    if (o.hidden)
        FAIL("in %u of %u rounds the store was not seen in the first half of the loop; longest "
             "%llu ns",
             o.hidden, ROUNDS, (unsigned long long)time_ticks_to_ns(o.longest));
    if (o.watched < WATCHED)
        WEAK("the other core looked during the loop in %u of %u rounds only", o.watched, ROUNDS);
}

TEST(errata, starved_store, "a store is seen by another core while its own spins without a pause",
     .cpus = 2, .budget_ms = 500, .must_see = { { SEE_EXECUTIONS, ROUNDS } })
{
    run(t, NULL);
}

TEST(selftest, fault_starved_store, "must fail: a store that comes after the loop", .cpus = 2,
     .budget_ms = 500, .must_see = { { SEE_EXECUTIONS, ROUNDS } })
{
    run(t, &spin);
}

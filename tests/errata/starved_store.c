/* SPDX-License-Identifier: MIT */
/*
 * Does a store become visible while its core spins in a loop that fetches in every cycle? On early
 * Opterons (2004) it could stay hidden as long as the loop lasted. The wait for acknowledgements in
 * a core sync has that shape. One core stores and then spins for a fixed time without any memory
 * access; another one sees when the store arrives.
 */
#include "kernel/cpu/regs.h"
#include "kernel/lib/string.h"
#include "kernel/time/time.h"
#include "smp/smp.h"
#include "tests/errata/erratum.h"
#include "tests/harness/machine_record.h"
#include "tests/harness/test.h"

#define ROUNDS 40
#define SPINS  400000u /* some 100 us and more: a hundred times what a store takes */

static const struct erratum opteron = {
    .id = "Opteron 2004, store hidden behind instruction fetches",
    .reference = "reported in June 2004; revision guide 25759",
    .hypothesis = "a store stays in the core while a tight loop fetches in every cycle",
    .expected = "visible long before the loop ends",
    .affected = { { VENDOR_AMD, 15, 0, 0x2f } },
};

/* `stored` and `ended` are the spinning core's; `round` the observer's, which it acquires. */
static struct {
    uint64_t round __attribute__((aligned(CACHE_LINE)));
    uint64_t stored __attribute__((aligned(CACHE_LINE)));
    uint64_t ended __attribute__((aligned(CACHE_LINE)));
} spin;

static void spin_loop(__attribute__((unused)) void *arg)
{
    for (uint64_t n = 1; n <= ROUNDS; n++) {
        uint32_t left = SPINS;

        while (load_acquire(&spin.round) != n) /* pairs with the release in the test */
            cpu_relax();
        uint64_t flags = irq_save(); /* an interrupt would end the starvation */
        store_relaxed(&spin.stored, n);
        __asm__ volatile("1: dec %0; jnz 1b" : "+r"(left)::"cc");
        irq_restore(flags);
        store_release(&spin.ended, n); /* pairs with the acquire in the test */
    }
}

TEST(errata, starved_store, "a store is seen by another core while its own spins without a pause",
     .cpus = 2, .budget_ms = 500, .must_see = { { SEE_EXECUTIONS, ROUNDS } })
{
    unsigned hidden = 0;

    memset(&spin, 0, sizeof spin);
    REQUIRE(smp_start_work((unsigned)smp_next_online(0), spin_loop, NULL));
    for (uint64_t n = 1; n <= ROUNDS; n++) {
        store_release(&spin.round, n);
        /* Which comes first: the store, or the end of the loop behind it? */
        while (load_acquire(&spin.ended) != n && load_relaxed(&spin.stored) != n)
            ; /* no pause: an emulator that takes turns would let the whole loop run meanwhile */
        hidden += load_acquire(&spin.ended) == n;
        while (load_acquire(&spin.ended) != n)
            cpu_relax();
        saw(SEE_EXECUTIONS, 1);
    }
    smp_wait_work((unsigned)smp_next_online(0));
    erratum_record(&t->data, &opteron);
    json_uint(&t->data, "rounds", ROUNDS);
    json_uint(&t->data, "hidden", hidden);
    /* A core that was interrupted or preempted meanwhile sees both at once. */
    if (hidden > ROUNDS / 2 && !machine_is_emulated())
        FAIL("in %u of %u rounds the store was not seen before the loop had ended", hidden, ROUNDS);
}

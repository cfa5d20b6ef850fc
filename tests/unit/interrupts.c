/* SPDX-License-Identifier: MIT */
/* Interrupts between cores arrive, once each, where they were sent. */
#include "kernel/lib/atomic.h"
#include "kernel/time/time.h"
#include "kernel/trap/trap.h"
#include "smp/apic.h"
#include "smp/smp.h"
#include "smp/watchdog.h"
#include "tests/harness/test.h"

#define CORES  4096 /* as many as word cpus= may ask for */
#define ROUNDS 50
#define TICKS  20

static uint32_t received[CORES]; /* by core; each core writes its own */

static uint32_t *my_count(unsigned core)
{
    return &received[core % CORES];
}

static bool wait_for(const uint32_t *count, uint32_t least)
{
    uint64_t deadline = rdtsc() + time_ns_to_ticks(2000000000);

    while (load_acquire(count) < least && rdtsc() < deadline)
        cpu_relax();
    return load_acquire(count) >= least;
}

static void reset_counts(void)
{
    for (unsigned i = 0; i < CORES; i++)
        store_relaxed(&received[i], 0);
}

TEST(unit, cores_online, "every core that the firmware lists as enabled has come up")
{
    const struct smp_topology *topology = smp_topology();

    EXPECT_EQ(topology->failed, 0);
    EXPECT_EQ(smp_online(), smp_possible());
    if (topology->note) /* the firmware's fault, not the cores' */
        WEAK("%s", topology->note);
    saw(SEE_CORES, smp_online());
}

/* ---- IPIs ---- */

static bool count_ipi(__attribute__((unused)) struct trap_frame *frame)
{
    fetch_add(my_count(cpu_index()), 1);
    apic_eoi();
    return true;
}

TEST_BARE("interrupts of its own", unit, ipi_exact,
          "each interrupt sent to a core arrives there exactly once", .cpus = 2, .budget_ms = 1000,
          .must_see = { { SEE_IPIS, ROUNDS } })
{
    trap_handler old = trap_set_handler(VECTOR_TEST, count_ipi);

    reset_counts();
    for_each_online_cpu (core) {
        for (uint32_t i = 1; i <= ROUNDS; i++) {
            smp_send_ipi((unsigned)core, VECTOR_TEST);
            if (!wait_for(my_count((unsigned)core), i)) {
                FAIL("core %d did not take interrupt %u", core, i);
                break;
            }
            saw(SEE_IPIS, 1);
        }
    }
    for_each_online_cpu (core)
        EXPECT_EQ(*my_count((unsigned)core), ROUNDS);
    trap_set_handler(VECTOR_TEST, old);
}

static void count_nmi(void)
{
    fetch_add(my_count(cpu_index()), 1);
}

TEST_BARE("interrupts of its own", unit, nmi_exact,
          "each NMI sent to a core arrives there exactly once", .budget_ms = 1000,
          .must_see = { { SEE_IPIS, ROUNDS } })
{
    reset_counts();
    for_each_online_cpu (core) {
        percpu((unsigned)core)->nmi_hook = count_nmi;
        for (uint32_t i = 1; i <= ROUNDS; i++) {
            smp_send_nmi((unsigned)core);
            if (!wait_for(my_count((unsigned)core), i)) {
                FAIL("core %d did not take NMI %u", core, i);
                break;
            }
            saw(SEE_IPIS, 1);
        }
        EXPECT_EQ(*my_count((unsigned)core), ROUNDS);
        percpu((unsigned)core)->nmi_hook = NULL;
    }
}

static void count_timer(void)
{
    fetch_add(my_count(cpu_index()), 1);
}

static void start_timer(void *us)
{
    store_release(&this_cpu()->timer_hook, count_timer); /* pairs with the timer interrupt's load */
    smp_timer_start(*(const unsigned *)us);
}

static void stop_timer(__attribute__((unused)) void *arg)
{
    store_release(&this_cpu()->timer_hook, NULL);
    watchdog_start_core(); /* the default tick again */
}

TEST_BARE("interrupts of its own", unit, timer_ticks,
          "the timer interrupt comes on every core, at about the rate asked for", .budget_ms = 2000)
{
    /* No more than 1000 interrupts a second in all, since an emulator's cores take turns. */
    unsigned us = smp_online() > 10 ? 1000 * smp_online() : 10000;

    reset_counts();
    uint64_t begin = rdtsc();
    smp_call_all(start_timer, &us);
    time_delay_us(TICKS * us);
    smp_call_all(stop_timer, NULL);
    uint64_t periods = time_ticks_to_ns(rdtsc() - begin) / (us * 1000ull);
    for_each_online_cpu (core) {
        uint32_t ticks = *my_count((unsigned)core);

        /* An emulator under load may lose most of them. */
        if (ticks < TICKS / 10 || ticks > periods * 3 / 2 + 1)
            FAIL("core %d took %u timer interrupts in %llu periods", core, ticks,
                 (unsigned long long)periods);
    }
}

/* ---- cross-calls and work ---- */

static void count_call(void *arg)
{
    fetch_add(my_count(cpu_index()), *(const uint32_t *)arg);
}

TEST(unit, call_all, "a cross-call has run exactly once on each core when it returns",
     .budget_ms = 500, .must_see = { { SEE_IPIS, ROUNDS } })
{
    uint32_t one = 1;

    reset_counts();
    for (uint32_t i = 1; i <= ROUNDS; i++) {
        smp_call_all(count_call, &one);
        for_each_online_cpu (core)
            EXPECT_EQ(load_acquire(my_count((unsigned)core)), i);
        saw(SEE_IPIS, 1);
    }
}

TEST(unit, call_one, "a cross-call to one core runs there and nowhere else", .cpus = 2,
     .budget_ms = 500)
{
    uint32_t one = 1;

    reset_counts();
    for_each_online_cpu (core)
        smp_call_one((unsigned)core, count_call, &one);
    for_each_online_cpu (core)
        EXPECT_EQ(*my_count((unsigned)core), 1);
}

/* Not within a trap, on a core that comes back for a slice of the run either. */
static void look_at_depth(void *depth)
{
    store_release((uint32_t *)depth, trap_depth());
}

TEST(unit, work_is_in_no_trap, "work runs in thread context", .cpus = 2, .budget_ms = 500)
{
    for_each_online_cpu (core) {
        uint32_t depth = UINT32_MAX;

        if (!smp_start_work((unsigned)core, look_at_depth, &depth))
            continue;
        smp_wait_work((unsigned)core);
        EXPECT_EQ(load_acquire(&depth), 0);
    }
}

TEST(unit, work, "each core runs the work that it is given, and its stores are seen afterwards",
     .cpus = 2, .budget_ms = 500)
{
    uint32_t amount = 7;

    reset_counts();
    for_each_online_cpu (core) {
        if (core != (int)cpu_index())
            EXPECT(smp_start_work((unsigned)core, count_call, &amount));
    }
    for_each_online_cpu (core) {
        if (core == (int)cpu_index())
            continue;
        smp_wait_work((unsigned)core);
        EXPECT_EQ(*my_count((unsigned)core), amount);
        EXPECT(smp_work_done((unsigned)core));
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * Barriers and locks: the one litmus test that can fail on x86, where only a store followed by a
 * load of another word may be reordered (SDM vol 3A, "Memory Ordering"), and a counter that a lock
 * protects.
 */
#include "kernel/lib/atomic.h"
#include "kernel/time/time.h"
#include "poke/poke.h"
#include "smp/smp.h"
#include "tests/harness/test.h"

#define ROUNDS        20000
#define INCREMENTS    2000
#define HEAD_START_NS 5000 /* for the later one to come out of meet() */

/* Two cores in step: each waits until the other has entered the round as well. */
struct litmus {
    uint32_t round[2] __attribute__((aligned(CACHE_LINE)));
    uint64_t start; /* core 0 writes it before it meets the other */
    uint32_t x __attribute__((aligned(CACHE_LINE)));
    uint32_t y __attribute__((aligned(CACHE_LINE)));
    uint32_t saw[2] __attribute__((aligned(CACHE_LINE)));
};
static struct litmus litmus;

static void meet(unsigned me, uint32_t round)
{
    store_release(&litmus.round[me], round); /* pairs with the other core's acquire below */
    while (load_acquire(&litmus.round[!me]) < round)
        cpu_relax();
}

/*
 * One round: both store, then both load; with or without the barrier between. The clock lets them
 * go, since a store is only a moment in the store buffer: by meet() alone one would be late.
 */
static void store_buffer(unsigned me, uint32_t round, bool barrier)
{
    uint32_t *mine = me ? &litmus.y : &litmus.x, *other = me ? &litmus.x : &litmus.y;

    if (me == 0)
        litmus.start = rdtsc() + time_ns_to_ticks(HEAD_START_NS);
    meet(me, 3 * round + 1);
    while (rdtsc() < litmus.start)
        compiler_barrier();
    store_relaxed(mine, 1);
    if (barrier)
        full_barrier(); /* pairs with itself on the other core: one of both loads comes last */
    else
        compiler_barrier();
    litmus.saw[me] = load_relaxed(other);
    meet(me, 3 * round + 2);
}

static void other_store_buffer(void *barrier)
{
    for (uint32_t i = 0; i < ROUNDS; i++) {
        store_buffer(1, i, *(const bool *)barrier);
        meet(1, 3 * i + 3);
    }
}

/* Rounds in which neither core saw the other's store. */
static unsigned count_missed(struct test_run *t, bool barrier)
{
    unsigned other = (unsigned)smp_next_online(0), missed = 0;

    litmus = (struct litmus){ 0 };
    if (!smp_start_work(other, other_store_buffer, &barrier)) {
        ERROR("core %u could not be started", other);
        return 0;
    }
    for (uint32_t i = 0; i < ROUNDS; i++) {
        store_buffer(0, i, barrier);
        missed += !litmus.saw[0] && !litmus.saw[1];
        litmus.x = litmus.y = 0; /* the other core waits in meet() */
        meet(0, 3 * i + 3);
    }
    smp_wait_work(other);
    return missed;
}

TEST(unit, barrier_store_buffer,
     "of two cores that store and then load, one sees the other, by virtue of the barrier",
     .cpus = 2, .budget_ms = 1500)
{
    unsigned control = count_missed(t, false), missed = count_missed(t, true);

    json_uint(&t->data, "rounds", ROUNDS);
    json_uint(&t->data, "missed_without_barrier", control);
    json_uint(&t->data, "missed", missed);
    EXPECT_EQ(missed, 0);
    if (!control)
        SKIP("this machine never reordered the control");
}

/* ---- text_mutex ---- */

static uint64_t protected;
static uint32_t inside;
static uint32_t intruders;

static void increment(__attribute__((unused)) void *arg)
{
    for (unsigned i = 0; i < INCREMENTS; i++) {
        text_mutex_lock();
        if (fetch_add(&inside, 1) != 0)
            fetch_add(&intruders, 1);
        uint64_t value = load_relaxed(&protected);
        if (i % 64 == 0)
            cpu_relax(); /* let the others run into the lock, under an emulator too */
        store_relaxed(&protected, value + 1);
        fetch_sub(&inside, 1);
        text_mutex_unlock();
    }
}

TEST(unit, text_mutex_excludes, "one core at a time holds the lock of text", .cpus = 2,
     .budget_ms = 2000)
{
    protected = 0;
    intruders = 0;
    for_each_online_cpu (core) {
        if (core != (int)cpu_index())
            EXPECT(smp_start_work((unsigned)core, increment, NULL));
    }
    increment(NULL);
    for_each_online_cpu (core) {
        if (core != (int)cpu_index())
            smp_wait_work((unsigned)core);
    }
    EXPECT_EQ(protected, (uint64_t)INCREMENTS * smp_online());
    EXPECT_EQ(intruders, 0);
    saw(SEE_CORES, smp_online());
}

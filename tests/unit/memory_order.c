/* SPDX-License-Identifier: MIT */
/* Barriers and locks: two litmus tests, and a counter that a lock protects. */
#include "kernel/lib/atomic.h"
#include "poke/poke.h"
#include "smp/smp.h"
#include "tests/harness/test.h"

#define ROUNDS 2000

/* Two cores in step: each waits until the other has entered the round as well. */
struct litmus {
    uint32_t round[2] __attribute__((aligned(CACHE_LINE)));
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

/* One round: reset by core 0, then both at once, then core 0 looks. */
static void store_buffer(unsigned me, uint32_t round)
{
    uint32_t *mine = me ? &litmus.y : &litmus.x, *other = me ? &litmus.x : &litmus.y;

    meet(me, 3 * round + 1);
    store_relaxed(mine, 1);
    full_barrier(); /* pairs with itself on the other core: one of both loads comes last */
    litmus.saw[me] = load_relaxed(other);
    meet(me, 3 * round + 2);
}

static void other_store_buffer(__attribute__((unused)) void *arg)
{
    for (uint32_t i = 0; i < ROUNDS; i++) {
        store_buffer(1, i);
        meet(1, 3 * i + 3);
    }
}

TEST(unit, barrier_store_buffer, "of two cores that store and then load, one sees the other",
     .cpus = 2, .budget_ms = 1500)
{
    unsigned other = (unsigned)smp_next_online(0), missed = 0;

    litmus = (struct litmus){ 0 };
    REQUIRE(smp_start_work(other, other_store_buffer, NULL));
    for (uint32_t i = 0; i < ROUNDS; i++) {
        store_buffer(0, i);
        missed += !litmus.saw[0] && !litmus.saw[1];
        litmus.x = litmus.y = 0;
        meet(0, 3 * i + 3);
    }
    smp_wait_work(other);
    EXPECT_EQ(missed, 0);
}

static void publish_messages(__attribute__((unused)) void *arg)
{
    for (uint32_t i = 1; i <= ROUNDS; i++) {
        store_relaxed(&litmus.x, i);
        store_release(&litmus.y, i); /* pairs with the acquire in the reader */
        cpu_relax();
    }
}

TEST(unit, barrier_message, "a released flag is not seen before the data that it announces",
     .cpus = 2, .budget_ms = 1500)
{
    unsigned other = (unsigned)smp_next_online(0), early = 0;
    uint32_t flag = 0;

    litmus = (struct litmus){ 0 };
    REQUIRE(smp_start_work(other, publish_messages, NULL));
    while (flag < ROUNDS) {
        flag = load_acquire(&litmus.y);
        early += load_relaxed(&litmus.x) < flag;
        cpu_relax();
    }
    smp_wait_work(other);
    EXPECT_EQ(early, 0);
}

/* ---- text_mutex ---- */

static uint64_t protected;
static uint32_t inside;
static uint32_t intruders;

static void increment(__attribute__((unused)) void *arg)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
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
    EXPECT_EQ(protected, (uint64_t)ROUNDS * smp_online());
    EXPECT_EQ(intruders, 0);
    saw(SEE_CORES, smp_online());
}

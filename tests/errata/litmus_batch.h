/* SPDX-License-Identifier: MIT */
/*
 * One batch of a litmus test: each thread runs its code once for every instance. Thread 0 leads: it
 * alone sets variables up, and reads results, while the others wait.
 */
#ifndef TESTS_ERRATA_LITMUS_BATCH_H
#define TESTS_ERRATA_LITMUS_BATCH_H

#include "kernel/lib/atomic.h"
#include "kernel/trap/trap.h"
#include "tests/errata/litmus_memory.h"

/* One thread of a running cell. Its own while a batch runs; thread 0's while the others wait. */
struct litmus_role {
    struct litmus_round *round;
    unsigned thread;
    struct prng random;
    uint32_t next; /* instance */
    /* Executions before the threads start, those of a number that was not current, one of these. */
    uint64_t between, stale_between;
    uint32_t stale_raw;
    struct trap_caught caught[LITMUS_INSTANCES]; /* vector 0 is none: no #DE is possible */
} __attribute__((aligned(CACHE_LINE)));

/* A running cell. */
struct litmus_round {
    const struct litmus_shape *shape;
    struct litmus_memory *memory;
    struct litmus_role role[LITMUS_THREADS];

    /* Thread 0 writes, before litmus_meet(); the others read behind it. */
    uint64_t batch;
    uint32_t base; /* every byte of number 0 */
    bool in_step;  /* the threads wait for each other before each instance */
    bool stop;

    /* litmus_meet(): everyone adds itself; the last one opens the next generation (release). */
    uint32_t arrived __attribute__((aligned(CACHE_LINE)));
    uint32_t generation __attribute__((aligned(CACHE_LINE)));
    /* Instances that a thread has come to since the first batch: own, release; others acquire. */
    struct {
        uint64_t step;
    } __attribute__((aligned(CACHE_LINE))) at[LITMUS_THREADS];
};

/* The number that `value` (0, 1, 2) stands for in this batch: four equal bytes. */
static inline uint32_t litmus_number(const struct litmus_round *round, unsigned value)
{
    return (round->base + value) * 0x01010101u;
}

/* What a register holds, as a value; litmus_number()'s inverse. */
enum litmus_value litmus_value_of(const struct litmus_round *round, uint32_t raw);

/* Wait until all threads of the round are here. */
void litmus_meet(struct litmus_round *round);

/* Thread 0, others waiting: all variables to 0 of a new batch. False: the engine refused. */
bool litmus_batch_reset(struct litmus_round *round);

/*
 * Every thread, behind litmus_meet(): serialise, at random execute and load what will be raced for,
 * meet, run all instances.
 */
void litmus_batch_run(struct litmus_role *role);

/* What an instance of POKE calls: patch F of the round that runs. */
void litmus_batch_poke(unsigned instance);

#endif

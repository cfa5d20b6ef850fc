/* SPDX-License-Identifier: MIT */
/*
 * Counting instructions: under QEMU's `-icount` the time stamp counter advances by a fixed number
 * of ticks with each of them, and one core executes nothing else meanwhile (./run.sh bench-count).
 *
 *     if (!instructions_begin(t))
 *         return;
 *     ...
 *     instructions_end();
 *
 * Boot core, thread context.
 */
#ifndef TESTS_LATENCY_INSTRUCTION_COUNT_H
#define TESTS_LATENCY_INSTRUCTION_COUNT_H

#include "tests/harness/test.h"

struct op; /* what the operations of a test work on: its own */
typedef void operation(struct op *op);

/* Of repetitions: what the cheapest and the dearest took. */
struct instructions {
    uint64_t min, max;
};
#define INSTRUCTIONS_NONE   ((struct instructions){ UINT64_MAX, 0 })
#define INSTRUCTIONS_FAILED ((struct instructions){ 0, UINT64_MAX })
#define INSTRUCTION_REPEATS 8

/* Stop what else runs here. False, with the test skipped: this machine cannot count. */
bool instructions_begin(struct test_run *t);
void instructions_end(void);

/* In so many ticks of the time stamp counter. */
uint64_t instructions_in(uint64_t ticks);

/* One repetition more: fn(op), without the call of it. */
void instructions_add(struct instructions *all, operation *fn, struct op *op);

/* How many more one takes than another; a range if either of them is one. */
struct instructions instructions_beyond(struct instructions one, struct instructions other);

/*
 * Figure of one of `n` operations. The test fails if not all repetitions took the same: something
 * else was counted, or an operation failed.
 */
void figure_of_instructions(struct test_run *t, const char *name, struct instructions of,
                            unsigned n);

#endif

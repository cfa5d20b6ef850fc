/* SPDX-License-Identifier: MIT */
/*
 * Many cores pass through one armed site, beside one of them alone: all is shared but the sites'
 * text and the engine's table, so anything that a handler writes to a line of others shows.
 */
#ifndef TESTS_LATENCY_CONTENTION_H
#define TESTS_LATENCY_CONTENTION_H

#include "tests/harness/test.h"
#include "tests/latency/spread.h"

struct contention {
    unsigned cores; /* that pass together; the boot core is one of them, in its timer interrupt */
    unsigned rounds, left_out;         /* of those, a core having lost its processor */
    uint64_t passes_alone, passes_all; /* in the rounds that are kept */
    struct spread ratio; /* thousandths: passes of N cores over N times those of one, by round */
};

/*
 * Let every core above `holder`, and the boot core in its timer interrupt, wait for the holder's
 * rounds with calls of `slot`, or, if that is NULL, with bare_bp(): what any handler has to
 * share. Boot core, thread context, after bare_bp_init(). Between the two, the boot core has the
 * slot armed while `holder` runs contention_rounds(), interrupts off.
 */
void contention_start(struct test_run *t, unsigned holder, const void *slot);
void contention_stop(struct contention *result);

/* The holder's part: rounds of one period alone and one together. `arg` is not used. */
void contention_rounds(void *arg);

#endif

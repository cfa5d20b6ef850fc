/* SPDX-License-Identifier: MIT */
/*
 * Operations at a fixed rate. Each has its intended start, whatever became of those before it, and
 * its latency counts from there: a stall delays all that were due meanwhile, and is seen in all of
 * them. A loop that begins the next operation when the last one has ended asks nothing while it
 * waits, and counts a stall once (coordinated omission).
 */
#ifndef TESTS_LATENCY_PACING_H
#define TESTS_LATENCY_PACING_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/lib/hist.h"

struct pace {
    uint64_t period, length; /* ticks: from one start to the next, and in all */
};

/*
 * Run `op` at that pace, and add each latency in ns to `ns`. When twice the length has passed, what
 * is still due is not begun any more and counts with the latency that it has reached. Returns how
 * many those are. Any core, thread context.
 */
uint64_t paced_run(const struct pace *pace, void (*op)(void *arg), void *arg, struct hist *ns);

#endif

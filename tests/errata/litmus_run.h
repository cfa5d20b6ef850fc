/* SPDX-License-Identifier: MIT */
/*
 * Run a cell for a while, as litmus7 runs its tests: batches of many instances of the variables,
 * the threads in step before each instance, small random delays.
 */
#ifndef TESTS_ERRATA_LITMUS_RUN_H
#define TESTS_ERRATA_LITMUS_RUN_H

#include "tests/errata/litmus_cell.h"

/*
 * Run for `ticks` of the TSC, or longer if the cell has not met its race by then, on core 0 and
 * others drawn from `random`, and add what was seen to the cell. False if there is no memory or the
 * engine refused: `*error` says so. There must be enough cores, all idle. Boot core, thread
 * context, interrupts on.
 */
bool litmus_run(struct litmus_cell *cell, uint64_t ticks, struct prng *random, const char **error);

#endif

/* SPDX-License-Identifier: MIT */
/* The strip of the live view: one character per core. Inside tests/harness/live*.c only. */
#ifndef TESTS_HARNESS_LIVE_CORES_H
#define TESTS_HARNESS_LIVE_CORES_H

#include <stdbool.h>

/* Does a test run on the boot core? Returns the next free row. */
unsigned live_cores(unsigned row, bool test_runs);

#endif

/* SPDX-License-Identifier: MIT */
/* The strip of the live view: one character per core. Inside tests/harness/live*.c only. */
#ifndef TESTS_HARNESS_LIVE_CORES_H
#define TESTS_HARNESS_LIVE_CORES_H

#include <stdbool.h>
#include <stdint.h>

/* Does a test run on the boot core? Returns the next free row. */
unsigned live_cores(unsigned row, bool test_runs);

/* INT3s of the engine that all cores have met since boot, as of the last live_cores(). */
uint64_t live_int3_hits(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Hold a patch at its INT3: a core with its interrupts off keeps the first sync waiting, and has
 * all the time it wants to meet the INT3.
 */
#ifndef TESTS_LIB_HELD_H
#define TESTS_LIB_HELD_H

#include <stdbool.h>
#include <stdint.h>

#include "smp/smp.h"

/*
 * Let `core`, which must be idle, turn its interrupts off, wait until an INT3 stands at `slot`, run
 * fn(arg), and turn them on again. Returns when they are off: then patch `slot` (of a batch, its
 * last site). False if the core could not be started. Boot core, thread context; one at a time.
 */
bool hold_begin(unsigned core, const uint8_t *slot, smp_work fn, void *arg);

/* Wait for the core. False if the INT3 did not come within a second, and fn has not run. */
bool hold_end(void);

#endif

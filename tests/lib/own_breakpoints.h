/* SPDX-License-Identifier: MIT */
/*
 * INT3s that belong to a test. The engine is asked first, as in the machine's own handler; what it
 * leaves goes to the test's, and what that leaves to recovery or a panic.
 */
#ifndef TESTS_LIB_OWN_BREAKPOINTS_H
#define TESTS_LIB_OWN_BREAKPOINTS_H

#include <stdint.h>

#include "kernel/trap/trap.h"

/* Let `mine` have all breakpoints that the engine leaves, on all cores. Boot core's thread. */
void own_breakpoints_begin(trap_handler mine);

/* Remove it; returns how many it has taken. No core may meet such a breakpoint any more. */
uint64_t own_breakpoints_end(void);

#endif

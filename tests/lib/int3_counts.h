/* SPDX-License-Identifier: MIT */
/* The engine's counts of breakpoints, of all cores together. Exact while no core meets one. */
#ifndef TESTS_LIB_INT3_COUNTS_H
#define TESTS_LIB_INT3_COUNTS_H

#include <stdint.h>

struct int3_counts {
    uint64_t hits;    /* claimed and emulated */
    uint64_t foreign; /* left to another owner */
};

/* Since boot. Any core, any context. */
struct int3_counts int3_counts(void);

#endif

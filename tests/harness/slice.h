/* SPDX-License-Identifier: MIT */
/*
 * A run comes in slices: between two tests, when word slice= says that it is time, the machine goes
 * to the world around the run, which writes what the report has gained. A crash loses one slice.
 */
#ifndef TESTS_HARNESS_SLICE_H
#define TESTS_HARNESS_SLICE_H

#include <stdbool.h>

#include "kernel/lib/words.h"
#include "tests/harness/harness.h"
#include "tests/harness/test.h"

/* What harness_set_world() was given; all NULL without. */
const struct harness_world *slice_world(void);

/* The first slice begins, with `first`. */
void slice_first(const struct test *first);

/* Has this slice lasted as long as a slice does? Never without a world that writes. */
bool slice_is_over(const struct words *w);

/* End this slice; when the machine is back, the next one begins, with test `next`. */
void slice_next(const struct test *next);

#endif

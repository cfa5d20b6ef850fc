/* SPDX-License-Identifier: MIT */
/*
 * Figures: what a measurement comes down to, in the "figures" array of a test's data, so that a
 * table of them (./run.sh bench) is made from reports alone. Names are permanent, and say what is
 * counted: "instructions.single_patch".
 */
#ifndef TESTS_LIB_FIGURE_H
#define TESTS_LIB_FIGURE_H

#include "tests/harness/test.h"

/* Open and close the array; figures are added between. Once per test. */
void figures_begin(struct test_run *t);
void figures_end(struct test_run *t);

/* An exact count, in thousandths of `unit` ("instructions", "ipis", "stores"...) per operation. */
void figure_count(struct test_run *t, const char *name, const char *unit, uint64_t milli);

/*
 * A sampled quantity, in thousandths of `unit` ("ns", "ratio", "per_s"): the median of `n` samples
 * (of pairs, for a ratio) with its quartiles.
 */
void figure_sampled(struct test_run *t, const char *name, const char *unit, uint64_t median,
                    uint64_t lower_quartile, uint64_t upper_quartile, uint64_t n);

#endif

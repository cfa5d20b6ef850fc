/* SPDX-License-Identifier: MIT */
/* Which tests a run consists of. */
#ifndef TESTS_HARNESS_PLAN_H
#define TESTS_HARNESS_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/harness/test.h"

#define PLAN_MAX 256

struct plan {
    const struct test *tests[PLAN_MAX]; /* in the order of their names */
    unsigned count;
    uint64_t budget_ms; /* sum of their expected times */
};

/*
 * Select by word tests=: patterns with commas between, '-' in them is the same as '_'; "default" is
 * all but group selftest, and only a pattern that begins with "selftest/" reaches those. False if
 * a pattern selects nothing: `error` then is one line that names it.
 */
bool plan_make(struct plan *plan, const struct words *w, char *error, size_t size);

/*
 * Does word seconds= speak of each test that has a length of its own? It does where the tests are
 * named; with the default plan it is the main stress's alone.
 */
bool plan_gives_seconds(const struct words *w);

/* How long a test runs that has a length of its own to choose: `default_ms`, or seconds=. */
uint64_t plan_duration_ms(const struct test *test, const struct words *w);

/* Expected time of one test in all. */
uint64_t plan_budget_ms(const struct test *test, const struct words *w);

#endif

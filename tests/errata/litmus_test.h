/* SPDX-License-Identifier: MIT */
/* The body of every litmus test. */
#ifndef TESTS_ERRATA_LITMUS_TEST_H
#define TESTS_ERRATA_LITMUS_TEST_H

#include "tests/errata/litmus_shape.h"
#include "tests/harness/test.h"

#define LITMUS_DEFAULT_MS 100u /* of one shape, without word seconds= */
#define LITMUS_BUDGET_MS  500u /* beside that: for set-up, and for cells that are slow to meet */

/*
 * Run a shape with each fence of word rsync= through each mapping of word mapping=, in turns, for
 * the test's duration; record the cells, judge them. A shape whose threads never overlapped, and a
 * control that showed nothing, are WEAK.
 */
void litmus_test(struct test_run *t, const struct litmus_shape *shape);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The live view: what the screen shows while the tests run, and the keys that are obeyed meanwhile
 * (p pause, s skip, q finish). Neither is needed: without a screen and a keyboard the same run ends
 * in the same report.
 *
 * Drawn by the core that runs the plan, between two tests, and in long tests by live_look() where
 * nothing is measured and no patch is under way.
 *
 * Context of every function: boot core, thread, interrupts on.
 */
#ifndef TESTS_HARNESS_LIVE_H
#define TESTS_HARNESS_LIVE_H

#include "kernel/lib/words.h"
#include "tests/harness/plan.h"
#include "tests/harness/test.h"
#include "tests/harness/verdict.h"

/* The run begins. `w` stays valid. */
void live_start(const struct words *w);

/* What will run. */
void live_plan(const struct plan *plan);

/* Test `number` (from 1) begins; a pause that was asked for is here. */
void live_test_begins(unsigned number, const struct test *test);
/* Its result. */
void live_test_ends(const struct test_run *run, uint64_t ms);

/* The end: the run's verdict, and a note that goes with it or "". */
void live_end(const char *verdict, const char *note);

/* What a test in progress can tell. */
struct live_counts {
    uint64_t executions, patches;
    const struct hist *latency; /* of a patch, ns; NULL: not measured */
};

/*
 * At most ten times a second: is it time to draw, and to look for a key? A test that lasts for
 * seconds asks again and again, outside of everything that it measures, and then calls live_look().
 * `counts` may be NULL.
 */
bool live_is_due(void);
void live_look(const struct live_counts *counts);

/* Has the user asked to end the current test (s or q)? For tests that call live_look(). */
bool live_skip(void);
/* Has the user asked to end the run (q)? */
bool live_finish(void);

#endif

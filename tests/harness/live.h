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

/*
 * A test that lasts for seconds calls it again and again, outside of everything that it measures:
 * at most ten times a second it draws, and looks for a key.
 */
void live_look(void);

/* The same with what a test in progress can tell, in two steps: it is gathered only when needed. */
struct live_counts {
    uint64_t executions, patches;
    const struct hist *latency; /* of a patch, ns; NULL: not measured */
};
bool live_is_due(void);
void live_show(const struct live_counts *counts);

/*
 * Has the user asked to leave the current test out (s or q)? Who is told so obeys: it ends early. A
 * test that never asks runs to its end, and s counts for the next one.
 */
bool live_skip(void);
/* Has the current test been told so? */
bool live_was_skipped(void);
/* Has the user asked to end the run (q)? */
bool live_finish(void);

#endif

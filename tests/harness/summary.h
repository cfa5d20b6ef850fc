/* SPDX-License-Identifier: MIT */
/*
 * summary.txt: what a person reads first, on one screen, and the next boot looks at. Written anew
 * at the end of each slice, and by a panic or a hang from any core: no allocation, no locks.
 */
#ifndef TESTS_HARNESS_SUMMARY_H
#define TESTS_HARNESS_SUMMARY_H

#include "kernel/lib/words.h"
#include "tests/harness/verdict.h"

/* Remember a test that did not pass, as long as there is room. */
void summary_add(const struct test_run *run);
void summary_add_line(const char *verdict, const char *name, const char *reason);

/* `state`: "running: ..." or "finished, ..."; `planned` tests, 0 if there is no plan yet. */
void summary_write(const struct words *w, const char *state, const struct verdict_totals *totals,
                   unsigned planned);

#endif

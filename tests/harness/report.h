/* SPDX-License-Identifier: MIT */
/*
 * The report of a run, line by line: what TAP readers see and the records beside it. It keeps the
 * totals, so that a hang or a panic can end the same report from wherever it is found.
 */
#ifndef TESTS_HARNESS_REPORT_H
#define TESTS_HARNESS_REPORT_H

#include "kernel/exit.h"
#include "tests/harness/plan.h"
#include "tests/harness/test.h"

/* First lines: version, seed, the words to replay it. `w` stays valid until the report's end. */
void report_start(const struct words *w);

void report_plan(const struct plan *plan);

/* Summary: slice `number` is about to begin with test `from`, unless the firmware fails. */
void report_slice_comes(unsigned number, const struct test *from);

/* It has begun. A core that is lost makes the run weak. */
struct slice_record {
    unsigned number;         /* from 2 */
    const struct test *from; /* its first test */
    uint64_t tests_ms;       /* how long the slice before was */
    uint64_t firmware_ms;    /* from its end to the beginning of this one */
    unsigned lost_cores;     /* online in the slice before and not in this one */
};
void report_slice(const struct slice_record *slice);

/* Test `number` (from 1) begins: a hang or a panic from now on is its. */
void report_test_begins(unsigned number, const struct test *test);

/* Its result, then its data and histograms. */
void report_test(unsigned number, const struct test_run *run, uint64_t ms);

/*
 * Something is wrong with the run as a whole: its verdict is at least `v`, and its end says why.
 * The first reason of the most severe kind stays.
 */
__attribute__((format(printf, 2, 3))) void report_run_verdict(enum verdict v, const char *fmt, ...);

/* Last lines, with the verdict of all tests. Returns the code that stands there. */
enum exit_code report_end(void);

/* The same for a run that cannot go on. */
enum exit_code report_bail(const char *why);

/* Ends of a run that does not come back: for watchdog_set_report() and panic_set_record(). */
void report_hang(const char *stage, const char *silent_cores);
void report_panic(const char *text);

#endif

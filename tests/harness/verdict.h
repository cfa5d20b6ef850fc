/* SPDX-License-Identifier: MIT */
/* From what a test saw to its verdict, and from the tests' verdicts to the run's. */
#ifndef TESTS_HARNESS_VERDICT_H
#define TESTS_HARNESS_VERDICT_H

#include "kernel/exit.h"
#include "tests/harness/test.h"

/* Exposure is evidence: a pass that saw less than the declaration asks for becomes WEAK. */
void verdict_check_exposure(struct test_run *t);

/* "int3_hits", ... */
const char *exposure_name(unsigned exposure);

struct verdict_totals {
    unsigned of[VERDICT_ERROR + 1]; /* tests by enum verdict */
};

/* The most severe one; SKIP only if nothing passed. */
enum verdict verdict_of_run(const struct verdict_totals *totals);

enum exit_code verdict_exit_code(enum verdict v);

#endif

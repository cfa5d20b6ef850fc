/* SPDX-License-Identifier: MIT */
/* Record "health": what befell the machine from outside during the run. Boot core. */
#ifndef TESTS_HARNESS_HEALTH_RECORD_H
#define TESTS_HARNESS_HEALTH_RECORD_H

/* Look at every core before the first test. */
void health_begin(void);

/* Between two tests, when nobody sends NMIs. */
void health_between_tests(void);

/*
 * Look again, write the record, and a line of the report for each finding: a new machine-check
 * error, an NMI that nobody here has sent. Nothing in a process, which is told of neither.
 */
void health_end(void);

#endif

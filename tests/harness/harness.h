/* SPDX-License-Identifier: MIT */
/* The runner of the laboratory: from the words to the last line of the report. */
#ifndef TESTS_HARNESS_HARNESS_H
#define TESTS_HARNESS_HARNESS_H

#include "kernel/exit.h"
#include "kernel/lib/words.h"

/*
 * Run the tests that `w` asks for and write the report. Every usable core is up, interrupts are on.
 * Boot core, thread context. Returns the code that stands in the report's last line.
 */
enum exit_code harness_main(const struct words *w);

/*
 * The report of a run that cannot begin: header, "Bail out! why", end. `why` is one line. Needs the
 * console only. Returns EXIT_ERROR.
 */
enum exit_code harness_bail(const char *why);

#endif

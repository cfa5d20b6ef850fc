/* SPDX-License-Identifier: MIT */
/* The runner of the laboratory: from the words to the last line of the report. */
#ifndef TESTS_HARNESS_HARNESS_H
#define TESTS_HARNESS_HARNESS_H

#include <stddef.h>

#include "kernel/exit.h"
#include "kernel/lib/words.h"

/*
 * The world around a run, where there is one to which the report goes while it grows. Without it (a
 * process) the report is written as it is made, in one slice.
 */
struct harness_world {
    /*
     * Let the world write what the report has gained, and come back with all cores that it can.
     * Between two tests: every core is idle, no lock is held, no batch is open.
     */
    void (*write_report)(void);
    /* `text` replaces what summary.txt will say. Any context. */
    void (*set_summary)(const char *text, size_t bytes);
    /* The run before, if it did not finish, and how far it came; else NULL. */
    const char *previous_run, *previous_state;
    /* One line on why the medium does not take the report; emptied when it is reported. */
    char *medium_note;
};

/* Before everything below. `world` stays valid. */
void harness_set_world(const struct harness_world *world);

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

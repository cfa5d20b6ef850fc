/* SPDX-License-Identifier: MIT */
/*
 * Records: JSON objects, one per line, each with a member "type". All go to the JSON stream; those
 * that a reader of the TAP stream wants to see appear there as "# type {...}".
 *
 * One record at a time, thread context of the core that runs the plan; a hang or a panic may cut
 * one off and write its own, since nothing follows.
 */
#ifndef TESTS_HARNESS_RECORD_H
#define TESTS_HARNESS_RECORD_H

#include <stdbool.h>

#include "kernel/lib/hist.h"
#include "kernel/lib/json.h"

/* Begin a record; the caller adds members. */
struct json *record_begin(const char *type);

/* Copy what the record holds so far to the TAP stream, closed, and go on with it. */
void record_show(void);

/* Write the record. False if it was too long: then a record that says so stands in its place. */
bool record_end(void);

/*
 * Another record may have been cut off half written: end its line, so that what follows is one of
 * its own. An empty line is no record.
 */
void record_break(void);

/* May times measured here be believed? */
struct trust {
    const char *why_not[4]; /* constant words, NULL after the last */
};

/* Record "hist" of `test`: summary on both streams, buckets on the JSON stream only. */
bool record_hist(const char *test, const char *name, const struct hist *h, const struct trust *t);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The levels of a variable of an experiment, and which of them the user's words ask for: store=,
 * reader=, rsync= and the like. Pure but for levels_wanted() and placements_wanted().
 */
#ifndef TESTS_ERRATA_LEVELS_H
#define TESTS_ERRATA_LEVELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/lib/string.h"
#include "tests/harness/test.h"

/* What a word's value is when it was not given: every level that is not dangerous. */
#define LEVELS_ALL "*"

struct levels {
    const char *word;         /* the word's name, for errors */
    const char *const *names; /* at most 64 */
    unsigned count;
};

/*
 * Bit i of *wanted: `asked` (names with * and ?, several with commas) selects names[i]. False if a
 * pattern selects nothing: `error` then is one line that lists the levels.
 */
bool levels_parse(const struct levels *levels, const char *asked, uint64_t *wanted, char *error,
                  size_t size);

/* Did the user leave the choice to the test? */
static inline bool levels_is_default(const char *asked)
{
    return strcmp(asked, LEVELS_ALL) == 0;
}

/* Places for a store: the offsets of its first byte in a cache line, and a page's edge. */
#define PLACEMENT_PAGE 64u
#define PLACEMENTS     65u

/*
 * The same for word placement=: offsets 0 to 63, ranges of them with '-', "page", with commas
 * between; "*" is all.
 */
bool placements_parse(const char *asked, bool wanted[static PLACEMENTS], char *error, size_t size);

/* The same inside a test's body: what selects nothing is an ERROR of the test. */
bool levels_wanted(struct test_run *t, const struct levels *levels, const char *asked,
                   uint64_t *wanted);
bool placements_wanted(struct test_run *t, bool wanted[static PLACEMENTS]);

#endif

/* SPDX-License-Identifier: MIT */
/* I15: breakpoints that nobody claims, for its test and its planted faults. */
#ifndef TESTS_POKE_ORPHANS_H
#define TESTS_POKE_ORPHANS_H

#include "poke/poke.h"
#include "tests/harness/test.h"

/*
 * Race sites of all lengths in all contexts under `row` (NULL: the right one). FAIL if a core meets
 * an INT3 that the engine leaves, with what stood there, in refs and in the table at that moment.
 */
void race_for_orphans(struct test_run *t, const struct poke_protocol *row);

#endif

/* SPDX-License-Identifier: MIT */
/* What the vendor of this processor says of a cell, and what follows from what was seen. */
#ifndef TESTS_ERRATA_LITMUS_VERDICT_H
#define TESTS_ERRATA_LITMUS_VERDICT_H

#include "tests/errata/litmus_cell.h"

/* What this processor's vendor says of the outcome in this cell. */
enum litmus_word litmus_cell_word(const struct litmus_cell *cell);
/* Where; "no public statement" where nothing is said. */
const char *litmus_source(const struct litmus_shape *shape);

/* Has it met the race at all: what it asks about could have shown? */
bool litmus_cell_is_exposed(const struct litmus_cell *cell);

/*
 * Give the cell's verdict to the test. What is guaranteed and was seen is FAIL; what is not is a
 * finding, which the record holds. A guarantee whose premise never held is WEAK.
 */
void litmus_cell_judge(struct test_run *t, const struct litmus_cell *cell);

#endif

/* SPDX-License-Identifier: MIT */
/* What is written of a cell: its record in full, and lines in the style of herd and litmus7. */
#ifndef TESTS_ERRATA_LITMUS_REPORT_H
#define TESTS_ERRATA_LITMUS_REPORT_H

#include "tests/errata/litmus_cell.h"

/* Add the shape's members, or the cell's object, to t->data. */
void litmus_shape_record(struct test_run *t, const struct litmus_shape *shape);
void litmus_cell_record(struct test_run *t, const struct litmus_cell *cell);

/*
 * Lines of comment on the TAP stream, when nothing runs any more: of the shape what it asks; of a
 * cell the observation, and the histogram if it shows what was asked about, or what nothing should.
 */
void litmus_shape_print(const struct litmus_shape *shape);
void litmus_cell_print(const struct litmus_cell *cell);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A published erratum as data: which processors, what is said, what a cell tries and expects. A
 * cell runs on every processor that can run it; whether this one is listed goes into the report.
 */
#ifndef TESTS_ERRATA_ERRATUM_H
#define TESTS_ERRATA_ERRATUM_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/lib/json.h"
#include "tests/errata/promise.h"

struct erratum_range {
    uint8_t vendor; /* enum vendor */
    uint16_t family, model_first, model_last;
};

struct erratum {
    const char *id;                   /* the vendor's numbers, as they are cited */
    const char *reference;            /* where it is described */
    const char *hypothesis;           /* what the cell tries */
    const char *expected;             /* on a processor that is not affected */
    struct erratum_range affected[6]; /* family 0 ends it; none at all: not listed by model */
};

/* Does CPUID name this processor among the affected? Any core. */
bool erratum_lists_this_cpu(const struct erratum *e);

/* Members "erratum", "reference", "hypothesis", "expected", "listed" of the open object. */
void erratum_record(struct json *j, const struct erratum *e);

/*
 * What else could cause an exception of `vector` on this processor, so that a finding is not
 * laid to the wrong cause; NULL: nothing known.
 */
const char *erratum_confounder(unsigned vector);

#endif

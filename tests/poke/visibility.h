/* SPDX-License-Identifier: MIT */
/* When a patch takes effect: the races of I13 and I14, for their tests and their planted faults. */
#ifndef TESTS_POKE_VISIBILITY_H
#define TESTS_POKE_VISIBILITY_H

#include "poke/poke.h"
#include "tests/harness/test.h"

/*
 * I13: an execution that starts after the protocol has returned is of the new version. With
 * `too_early` the patcher says that it has returned before it has begun: must FAIL.
 */
void visible_when_finished(struct test_run *t, bool too_early);

/*
 * I14: an execution that starts after the first sync of a patch by `row` is of the new version.
 * FAIL if not, WEAK if too few executions began between that sync and the patch's end.
 */
void effective_at_first_sync(struct test_run *t, const struct poke_protocol *row);

#endif

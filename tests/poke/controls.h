/* SPDX-License-Identifier: MIT */
/* I24: stores that nothing protects, for the control experiments and their own control. */
#ifndef TESTS_POKE_CONTROLS_H
#define TESTS_POKE_CONTROLS_H

#include "poke/poke.h"
#include "tests/harness/test.h"

/* Race a call under `row`, which must tear it; WEAK if it does not: the harness is blind. */
void control_must_tear(struct test_run *t, const struct poke_protocol *row);

#endif

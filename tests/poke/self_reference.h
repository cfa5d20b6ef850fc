/* SPDX-License-Identifier: MIT */
/* I25: the code that patches contains nothing to patch; for its test and its planted fault. */
#ifndef TESTS_POKE_SELF_REFERENCE_H
#define TESTS_POKE_SELF_REFERENCE_H

#include "tests/harness/test.h"

/*
 * Step through patches, through the #BP handlers and the sync handlers that they cause on other
 * cores. FAIL if one of them executes an instruction that could be patched. With `calls_site` the
 * patcher does so on its way.
 */
void step_through_patches(struct test_run *t, bool calls_site);

#endif

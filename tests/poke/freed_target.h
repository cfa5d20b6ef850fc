/* SPDX-License-Identifier: MIT */
/* I22: when a call's old target may be freed, for its test and its planted faults. */
#ifndef TESTS_POKE_FREED_TARGET_H
#define TESTS_POKE_FREED_TARGET_H

#include "tests/harness/test.h"

enum free_when {
    FREE_WHEN_QUIESCENT, /* patched, and since then every core has been outside */
    FREE_WHEN_PATCHED,   /* too early: a core may still be inside the old target */
    FREE_AT_ONCE,        /* too early: the site still calls it */
};

/*
 * Other cores execute a site that calls one target after the other; the old one is filled with INT3
 * and used again for other code. FAIL if a core is caught in what was freed.
 */
void race_for_freed_target(struct test_run *t, enum free_when when);

#endif

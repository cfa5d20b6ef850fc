/* SPDX-License-Identifier: MIT */
/*
 * Load for a text user: while the boot core takes it from version to version, all other cores
 * execute it in thread context, timer interrupts and NMIs, and each execution is judged.
 */
#ifndef TESTS_USERS_LOAD_H
#define TESTS_USERS_LOAD_H

#include "poke/poke.h"
#include "tests/harness/test.h"

struct user_load {
    /* Execute it once, for the `turn`th time on this core and in this context; what came of it. */
    uint64_t (*run)(uint64_t turn);
    /* Can `value` have come of the versions from `first` to `last`, of which each may be seen? */
    bool (*allowed)(uint64_t value, uint64_t turn, uint64_t first, uint64_t last);
    /* Go to a version, from 1, one more each time. The boot core's thread. */
    enum poke_error (*go_to)(uint64_t version);
};

/*
 * Run it for as long as the test is to run, and for an even number of versions; report to the test
 * what was seen, and FAIL for what is not allowed, for an error of go_to(), and for an order that
 * the engine's own check does not accept. Boot core, thread context; others idle.
 */
void user_load_run(struct test_run *t, const struct user_load *load);

#endif

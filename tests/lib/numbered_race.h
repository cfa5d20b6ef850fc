/* SPDX-License-Identifier: MIT */
/*
 * The simplest oracle: a site whose every version answers with its own number, so that old and new
 * are told apart by comparing two integers, and no history is needed. What is legal while a patch
 * is under way, old as well as new, is not so on every core: one that has executed the new version
 * never goes back.
 *
 *     slot:    call target | jmp target    of the version, across a cache line
 *              ret
 *     targets: mov eax, version; ret       one for each version
 *
 * All other cores execute it in thread context, and all cores in timer interrupts, while the boot
 * core takes it from one version to the next.
 */
#ifndef TESTS_LIB_NUMBERED_RACE_H
#define TESTS_LIB_NUMBERED_RACE_H

#include <stdint.h>

#include "tests/harness/test.h"

#define NUMBERED_VERSIONS 2048 /* a race ends with the last one at the latest */

struct numbered_race {
    /*
     * The oldest version that an execution which starts now may be of: what the test claims. Called
     * right before each execution; any core, thread or interrupt context.
     */
    uint64_t (*oldest)(void);
    /*
     * Take the site to `version`, by numbered_patch(). Boot core, text_mutex held.
     */
    enum poke_error (*patch)(uint64_t version);
    unsigned ms;
};

/*
 * Run the race and judge it: FAIL for an execution of a version older than oldest() said, or than
 * one that the same core had executed before, or newer than any that was begun, for a fault, and
 * for an error of the engine. What was seen counts as exposure. Returns how many executions began
 * when oldest() was ahead of the last version whose patch had ended. Boot core, thread context.
 */
uint64_t numbered_race_run(struct test_run *t, const struct numbered_race *race);

/* smp_text_poke_single() of the site to `version`. Inside the race's patch(). */
enum poke_error numbered_patch(uint64_t version);

#endif

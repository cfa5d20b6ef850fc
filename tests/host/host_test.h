/* SPDX-License-Identifier: MIT */
/*
 * What every host test includes: cmocka with the headers that it wants first, and the length of
 * fuzzing.
 */
#ifndef TESTS_HOST_HOST_TEST_H
#define TESTS_HOST_HOST_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/lib/prng.h"

#define FUZZ_SEED 0x5eed1234ull

/*
 * A buffer with guards around it. stb_sprintf turns the address sanitizer off for its own stores,
 * so what is formatted into is watched by this instead.
 */
struct guarded {
    char before[16];
    char text[8192];
    size_t size;
};

static inline char *guard(struct guarded *g, size_t size)
{
    memset(g->before, 0x5a, sizeof(g->before));
    memset(g->text, 0x5a, sizeof(g->text));
    g->size = size;
    return g->text;
}

static inline void assert_guard_whole(const struct guarded *g)
{
    for (size_t i = 0; i < sizeof(g->before); i++)
        assert_int_equal(g->before[i], 0x5a);
    for (size_t i = g->size; i < sizeof(g->text); i++)
        assert_int_equal(g->text[i], 0x5a);
}

/*
 * Rounds of a fuzzer: `usual`, or what FUZZ_ROUNDS in the environment says. Prints seed and rounds.
 */
static inline unsigned long fuzz_rounds(const char *what, unsigned long usual)
{
    const char *wanted = getenv("FUZZ_ROUNDS");
    unsigned long rounds = wanted ? strtoul(wanted, NULL, 0) : usual;

    printf("fuzz %s: seed 0x%llx, %lu rounds\n", what, FUZZ_SEED, rounds);
    return rounds;
}

#endif

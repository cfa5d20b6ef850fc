/* SPDX-License-Identifier: MIT */
/*
 * What one execution has met: a word on its own stack, to which its core points meanwhile, and to
 * which the tracers, probes and functions add that it comes through. An interrupt or NMI that
 * executes in the middle of it has its own, and puts the pointer back: so the word is exact.
 */
#ifndef TESTS_USERS_MET_H
#define TESTS_USERS_MET_H

#include <stdbool.h>
#include <stdint.h>

#include "poke/users/ftrace.h"

struct met {
    uint64_t word;
    struct met *outer; /* what it has interrupted; the file's own */
};

/* Make each core's pointer, once; false: no memory. Boot core, thread context. */
bool met_ready(void);

/* An execution begins, with a word of 0; it ends, with what it has met. Any context. */
notrace void met_begin(struct met *m);
notrace uint64_t met_end(struct met *m);

/* The word of the execution under way on this core; between them some word. Any context. */
notrace uint64_t *met_here(void);

#endif

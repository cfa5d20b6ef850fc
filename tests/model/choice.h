/* SPDX-License-Identifier: MIT */
/*
 * Every freedom of the simulated machine is one call of choose(). What was chosen since the start
 * is a list of numbers that replays the run.
 */
#ifndef TESTS_MODEL_CHOICE_H
#define TESTS_MODEL_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/lib/prng.h"

#define CHOICES_MAX 262144 /* in one run */

struct choices {
    unsigned made;     /* choices since the start of a run, or of a step that is explored */
    unsigned fixed;    /* how many of them are prescribed */
    struct prng *prng; /* draws the free ones; NULL: the first alternative */
    uint8_t value[CHOICES_MAX];
    uint8_t limit[CHOICES_MAX]; /* alternatives that there were */
};
extern struct choices choices;

/* One of `n` alternatives, 1..255: 0 .. n-1. A choice between one is not recorded. */
unsigned choose(unsigned n);

/* Prescribe the next combination of the choices made: false if this was the last one. */
bool choices_next(void);

#endif

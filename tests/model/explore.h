/* SPDX-License-Identifier: MIT */
/* Find out what a scenario can do: all of it, or by random walks. */
#ifndef TESTS_MODEL_EXPLORE_H
#define TESTS_MODEL_EXPLORE_H

#include "tests/model/oracle.h"
#include "tests/model/scenario.h"

/* A run that shows a violation: replayed, it does the same again. */
struct counterexample {
    struct violation violation;
    struct scenario scenario;
    unsigned steps, made; /* steps of the run, and choices in them */
    uint8_t *values;      /* the choices; from malloc() */
};

struct exploration {
    uint64_t states;             /* different ones that were reached */
    uint64_t steps;              /* executed from one of them */
    unsigned clauses;            /* bit (1 << clause): violated */
    bool complete;               /* every step from every state was executed, or enough was found */
    bool finished;               /* in one of the states all patchers are done */
    struct counterexample first; /* if `clauses`: one of the shortest */
};

/*
 * Breadth first, every step from every state. A violation ends the run that shows it; the
 * exploration ends early when all of `enough` (bits 1 << clause) have been violated, if that is
 * not 0, or when there are more than EXPLORE_MAX states. The caller frees first.values.
 */
#define EXPLORE_MAX 20000000
void explore(const struct scenario *s, unsigned enough, struct exploration *out);

struct walks {
    uint64_t count, steps;
    uint64_t cut; /* ended by their length, before the patchers were done */
};

/*
 * One random run until the patchers are done, and some steps more. False and *out if it violates a
 * clause. Counted in *walks.
 */
bool walk(const struct scenario *s, struct prng *prng, struct walks *walks,
          struct counterexample *out);

/* Print what happens in it, step by step. */
void counterexample_print(const struct counterexample *c);

#endif

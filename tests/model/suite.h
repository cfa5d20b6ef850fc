/* SPDX-License-Identifier: MIT */
/* What a run of the program consists of, and its verdict. */
#ifndef TESTS_MODEL_SUITE_H
#define TESTS_MODEL_SUITE_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/model/scenario.h"

#define CORES_MIN 2
#define CORES_MAX 3

struct options {
    bool view[VIEWS];
    bool cores[CORES_MAX + 1]; /* sizes of the machines that are explored exhaustively */
    unsigned seconds;          /* of random walks */
    uint64_t seed;
    const char *fault; /* look for this one only; NULL: the engine, then all faults */
    bool trace;        /* show how each fault is found */
};

/* Run it and print one line per part, the sum last. True if all is as expected. */
bool suite_run(const struct options *options);

#endif

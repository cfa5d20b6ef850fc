/* SPDX-License-Identifier: MIT */
/* The set of states that have been reached, by their hash. */
#ifndef TESTS_MODEL_STATE_SET_H
#define TESTS_MODEL_STATE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct state_set {
    uint64_t *slots; /* 0: free */
    size_t size;     /* a power of two */
    size_t used;
};

/* Add a hash to a set that began zeroed. True if it was not there. */
bool state_set_add(struct state_set *set, uint64_t hash);
void state_set_free(struct state_set *set);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * All variables of an engine as one value. There are few different values in an exploration, each
 * of many kilobytes: they are kept once, and compared by address.
 */
#ifndef TESTS_MODEL_VARIABLES_H
#define TESTS_MODEL_VARIABLES_H

#include <stdint.h>

#include "tests/model/engine.h"

struct variables {
    uint64_t hash;
    uint8_t data[]; /* .data, then .bss */
};

/* Set them as the program was loaded, and forget all values that were kept. */
void variables_reset(const struct engine *e);

/* Engine code is about to run. */
void variables_may_change(void);

/* Their present value. It stays until the next reset. */
const struct variables *variables_keep(const struct engine *e);

/* Set them to a value that was kept. */
void variables_set(const struct engine *e, const struct variables *v);

#endif

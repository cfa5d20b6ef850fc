/* SPDX-License-Identifier: MIT */
/* The words that repeat a run. */
#ifndef TESTS_HARNESS_REPLAY_H
#define TESTS_HARNESS_REPLAY_H

#include <stddef.h>

#include "kernel/lib/words.h"

/* Every word that is not at its default, as "name=value name=value", into `out`. */
void replay_words(const struct words *w, char *out, size_t size);

#endif

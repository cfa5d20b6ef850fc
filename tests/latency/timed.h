/* SPDX-License-Identifier: MIT */
/*
 * Timed operations while readers run. A reader whose processor was taken away has nothing to be
 * interrupted for: a sample in which one did not execute anything is left out like those in which
 * the patcher lost its own. (Emulated cores that take turns do so always, and are left alone.)
 */
#ifndef TESTS_LATENCY_TIMED_H
#define TESTS_LATENCY_TIMED_H

#include "tests/latency/ground.h"
#include "tests/latency/series.h"

/* Patch the first `n` sites as ground_patch() does. Needs text_mutex. */
enum poke_error timed_patch(struct series *s, enum layout layout, unsigned n, enum image image);

/* One round of core sync. Needs text_mutex. */
void timed_broadcast(struct series *s);

/* Samples that were not left out. */
static inline unsigned timed_kept(const struct series *s)
{
    return s->turns - s->left_out;
}

#endif

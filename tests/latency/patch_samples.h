/* SPDX-License-Identifier: MIT */
/* What latency/patch samples, and how it is reported. */
#ifndef TESTS_LATENCY_PATCH_SAMPLES_H
#define TESTS_LATENCY_PATCH_SAMPLES_H

#include "poke/poke.h"
#include "tests/harness/test.h"
#include "tests/latency/series.h"

#define CORES_SHOWN 8

enum { STRADDLING, ALIGNED, SITES };

struct patch_samples {
    struct series patch[SITES];
    struct series one_sync, three_syncs; /* by the interface of the engine */
    struct series three_calls;           /* three membarrier(2), in a process */
    struct series phase[POKE_STEPS_MAX]; /* of the straddling site; by step of the row */
    /* Of all cores that watched the straddling site; the earliest and the latest of each turn. */
    struct series first_new, last_old;
    struct hist core_first_new[CORES_SHOWN], core_last_old[CORES_SHOWN];
    uint64_t hits[SERIES_TURNS]; /* INT3s that they met in a turn's patch, in thousandths */
    unsigned turns;
    uint64_t hit_count, hit_ticks;
    uint64_t returns; /* executions of the old image after one of the new, within a patch */
};

/* Into the data of the test; puts `hits` into rising order. */
void patch_report(struct test_run *t, struct patch_samples *m);

#endif

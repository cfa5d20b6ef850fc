/* SPDX-License-Identifier: MIT */
/*
 * The patcher's side of a race: takes sites to new versions, one by one or in batches, and times
 * each phase. One patcher at a time; boot core, thread context, text_mutex not held.
 */
#ifndef TESTS_LIB_PATCHER_H
#define TESTS_LIB_PATCHER_H

#include "kernel/lib/hist.h"
#include "tests/lib/site.h"

/* Phases of one protocol run, as they are reported. The publication counts to the first write. */
enum patch_phase {
    PHASE_WRITE1,
    PHASE_SYNC1,
    PHASE_WRITE2,
    PHASE_SYNC2,
    PHASE_WRITE3,
    PHASE_SYNC3,
    PHASE_RETIRE,
    PHASE_TOTAL,
    PATCH_PHASES
};

/*
 * Times in ns, of runs with one site and of runs with several. A run in which the host took the
 * patcher's core away says nothing about patching: it counts as disturbed, with its total, and goes
 * into no phase.
 */
struct patch_times {
    struct hist phase[PATCH_PHASES];
    struct hist disturbed;
};

/* A way to patch one site that is not the engine's: write image `to`. text_mutex is held. */
typedef enum poke_error (*site_patch)(const struct site *s, const struct site_image *to);

struct patcher {
    const struct site_set *set;
    struct prng *rng;
    uint32_t *focus; /* told which site is next: executors crowd there */
    struct patch_times *single_times, *batch_times; /* NULL: not timed */
    site_patch patch; /* instead of smp_text_poke_single(); NULL: the engine */

    uint64_t singles, batches; /* protocol runs */
    uint64_t batch_sites;      /* sites patched in batches */
    uint64_t crossings;        /* patches of a site across a line or page */
    enum poke_error error;     /* first refusal of the engine; nothing is patched after it */
    unsigned error_site;
};

/* One random site to another random image of its own. */
void patch_one(struct patcher *p);
/* A random choice of sites, each to another random image, in one batch. */
void patch_many(struct patcher *p);

/*
 * Does the text of every site hold its last version? Index of the first that does not, or -1.
 * Nobody patches.
 */
int patcher_wrong_text(const struct patcher *p);

#endif

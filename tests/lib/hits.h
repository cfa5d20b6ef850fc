/* SPDX-License-Identifier: MIT */
/*
 * Were the readers hit? Performance counters of the cores that execute what another core changes: a
 * race without a machine clear or an invalidated line has shown little. (kernel/cpu/pmu.h)
 *
 * Each core's counters are written by that core, and read by others when its work is done.
 */
#ifndef TESTS_LIB_HITS_H
#define TESTS_LIB_HITS_H

#include "kernel/cpu/pmu.h"
#include "kernel/lib/json.h"

struct hits {
    uint64_t of[PMU_EVENTS];
};

/*
 * Begin and stop counting, on every online core but this one; all of them idle. Where counters
 * cannot be read all of this works, counts nothing and says so. Boot core, thread context.
 */
void hits_open(void);
void hits_close(void);

/*
 * Counted since hits_open() on the calling core; by all others together, which are idle. Zeros
 * where nothing is counted.
 */
struct hits hits_here(void);
struct hits hits_of_others(void);

static inline void hits_add(struct hits *sum, const struct hits *more)
{
    for (unsigned i = 0; i < PMU_EVENTS; i++)
        sum->of[i] += more->of[i];
}

static inline struct hits hits_between(const struct hits *before, const struct hits *after)
{
    struct hits h;

    for (unsigned i = 0; i < PMU_EVENTS; i++)
        h.of[i] = after->of[i] - before->of[i];
    return h;
}

/*
 * What is counted on a core, or on all others alike if `core` is HITS_OTHERS: pmu->count events, or
 * none and pmu->reason. Between open and close; idle cores.
 */
#define HITS_OTHERS (-1)
const struct pmu *hits_counters(int core);

/*
 * Member "counters": {"read":true,"events":["MACHINE_CLEARS.SMC"]} or with "read":false, "reason".
 */
void hits_record(struct json *j, int core);

/* Member "hits": {"MACHINE_CLEARS.SMC":7}. Not there where nothing is counted: that is not 0. */
void hits_record_counts(struct json *j, int core, const struct hits *h);

#endif

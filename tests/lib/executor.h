/* SPDX-License-Identifier: MIT */
/*
 * An executor: one core that runs the sites of a set over and over, in thread context, in its timer
 * interrupt and in NMIs, and judges every execution.
 */
#ifndef TESTS_LIB_EXECUTOR_H
#define TESTS_LIB_EXECUTOR_H

#include "tests/lib/oracle.h"

/* One context's results on one core. That context writes, others read after the core stopped. */
struct exec_view {
    uint64_t executions __attribute__((aligned(CACHE_LINE)));
    uint64_t outcomes[OUTCOMES];
    uint64_t vectors[32]; /* of OUTCOME_FAULT */
    uint64_t overlaps;    /* judged executions with more than one legal version: lo != hi */
    uint64_t by_kind[SITE_KINDS];
    uint8_t seen[SITES_MAX]; /* bit per image of each site */
    struct finding first;
    const struct site *running; /* for a fault: the site whose call did not return */
    uint64_t running_lo;
    unsigned cursor;
    bool busy; /* an NMI inside an NMI leaves the sites alone: the counters are the outer one's */
};

struct executor {
    struct exec_view view[EXEC_CONTEXTS];
    unsigned core;
    uint64_t parks, parks_in_batch; /* times it was parked; and came back while one was running */
};

/* What all executors share; the patcher writes, executors read. */
struct exec_orders {
    const struct site_set *set;
    unsigned timer_us; /* period of timer interrupts that execute sites; 0: none */
    bool nmis;         /* cores send each other NMIs that execute sites */
    bool parks;        /* all executors but the first go offline and come back, at any time */
    uint32_t stop __attribute__((aligned(CACHE_LINE)));
    /* The site that is being patched: executors go there first. A hint, nothing depends on it. */
    uint32_t focus __attribute__((aligned(CACHE_LINE)));
    /* Findings so far; executors add, the patcher reads to end a lost race early. */
    uint32_t findings __attribute__((aligned(CACHE_LINE)));
};

/*
 * Start an executor on every online core but this one, and let interrupts of this core execute
 * sites too. Returns how many cores execute in thread context. Boot core.
 */
unsigned executors_start(struct exec_orders *orders);

/* Stop them all and wait; timers and hooks are as before. */
void executors_stop(struct exec_orders *orders);

/* Results of a core, after executors_stop(). */
const struct executor *executor(unsigned core);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A race: executors run sites on all other cores while this core patches them, for a given time.
 * What came out is one struct; what it means is said once, in race_judge().
 */
#ifndef TESTS_LIB_RACE_H
#define TESTS_LIB_RACE_H

#include "poke/event_log.h"
#include "tests/harness/test.h"
#include "tests/lib/executor.h"
#include "tests/lib/patcher.h"

struct race_plan {
    const struct site_spec *specs;
    unsigned count;
    uint64_t ms;
    unsigned least_runs;    /* go on until so many protocol runs, up to five times as long; 0: no */
    unsigned batch_percent; /* how many of 100 protocol runs take several sites */
    bool interrupts;        /* timer interrupts and NMIs execute sites too */
    bool parks;             /* cores leave and come back all the time */
    const struct poke_protocol *protocol;        /* NULL: the right one */
    site_patch patch;                            /* NULL: the engine's; see patcher.h */
    void (*prepare)(const struct site_set *set); /* called before the first patch; or NULL */
    bool count_all; /* the first finding does not end the race: rates are wanted */
    struct patch_times *single_times, *batch_times; /* NULL: not timed */
    bool progress; /* long: a comment line every five seconds, the live view and its keys */
};

struct race_result {
    bool ran; /* false: memory, cores or the engine refused; the test has its ERROR */
    struct site_set set;
    struct patcher patcher;
    unsigned executors;
    uint64_t ns;
    uint64_t executions[EXEC_CONTEXTS];
    uint64_t outcomes[OUTCOMES];
    uint64_t vectors[32]; /* of the faults among them */
    uint64_t overlaps;    /* executions that overlapped a patch of their site, judged */
    uint64_t by_kind[SITE_KINDS];
    unsigned images, images_seen; /* of all sites together */
    uint64_t parks_in_batch;      /* times that a core came back while a batch was running */
    uint64_t int3_hits;
    unsigned int3_cores;           /* executing cores that met one */
    struct poke_counters counters; /* of this race alone */
    struct finding finding;        /* the first; torn ones before stale ones */
    bool order_violated;
    struct poke_order_fault order_fault;
    int wrong_text; /* site whose text is not its last version, -1: none */
};

/* Run it. The result is valid until the next race. Boot core, thread context. */
const struct race_result *race_run(struct test_run *t, const struct race_plan *plan);

/* FAIL for whatever a right protocol must not do; what was seen counts as exposure. */
void race_judge(struct test_run *t, const struct race_result *r);

/* The finding, the order fault as one line each. */
void race_describe_finding(const struct race_result *r, char *out, size_t size);
void race_describe_order(const struct race_result *r, char *out, size_t size);

/* INT3s that a core met during this race. */
uint64_t race_int3_hits(unsigned core);

#endif

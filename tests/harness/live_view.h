/* SPDX-License-Identifier: MIT */
/* From the state of the run to the cells of the screen. Inside tests/harness/live*.c only. */
#ifndef TESTS_HARNESS_LIVE_VIEW_H
#define TESTS_HARNESS_LIVE_VIEW_H

#include "tests/harness/live.h"
#include "tests/harness/live_text.h"

#define FINDINGS_MAX 32
#define FINDING_TEXT 240

struct live_finding {
    enum verdict verdict;
    char text[FINDING_TEXT];
};

struct live_state {
    const struct words *words;
    char cpu[160];
    const char *doubt;       /* why latencies mean little, or NULL */
    const struct plan *plan; /* NULL: not made yet */
    uint64_t begin;          /* TSC */
    struct live_time time;   /* but for `current`, up to date when a test begins or ends */
    unsigned number;         /* of the current test, or of the last one */
    const struct test *test; /* NULL: none runs */
    uint64_t test_begin;     /* TSC */
    uint64_t percent;        /* of the bar, which never falls */
    unsigned verdicts[VERDICT_ERROR + 1];
    uint8_t verdict_of[PLAN_MAX]; /* enum verdict of each test that has ended */
    uint64_t executions, patches; /* of tests that have ended */
    struct live_counts now;       /* of the current one */
    uint64_t latency[4];          /* ns: median, 99 %, 99.9 %, maximum; 0: none yet */
    const char *latency_of;       /* its test */
    unsigned finding_count;
    struct live_finding findings[FINDINGS_MAX]; /* the first ones */
    bool paused, skip, finish;                  /* keys */
    bool obeyed;                                /* the current test knows of skip or finish */
    const char *verdict;                        /* the end; NULL before */
    const char *note;
};

/* Write all of it to the screen's cells; the caller draws. */
void live_view(const struct live_state *s);

#endif

/* SPDX-License-Identifier: MIT */
/* What no run may show, the first violation of a run, and the trace that tells how it came. */
#ifndef TESTS_MODEL_ORACLE_H
#define TESTS_MODEL_ORACLE_H

#include <stdbool.h>

enum clause {
    CLAUSE_TORN,    /* executed bytes are not one whole image of the site */
    CLAUSE_STALE,   /* a whole image, but one that may not run any more */
    CLAUSE_ORPHAN,  /* an INT3 that nobody claims */
    CLAUSE_FLOW,    /* emulated: wrong address, stack pointer, stack or flags */
    CLAUSE_FOREIGN, /* another owner's INT3 was claimed */
    CLAUSE_TABLE,   /* a handler reads the table while the patcher may write it */
    CLAUSE_RESULT,  /* an error of the engine, wrong final text, references left over */
    CLAUSE_HANG,    /* the patcher waits for references that nobody will give back */
    CLAUSES
};

/* The clause in a few words. */
const char *clause_text(enum clause clause);

struct violation {
    bool seen;
    enum clause clause;
    char text[200];
};
extern struct violation violation;

/* Record it, unless the run has one already. */
__attribute__((format(printf, 2, 3))) void violate(enum clause clause, const char *format, ...);

/* Print what the acting core does, if `tracing`. */
extern bool tracing;
__attribute__((format(printf, 1, 2))) void trace(const char *format, ...);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A cell: one shape with one fence through one mapping, what it has shown so far, and what that
 * means.
 */
#ifndef TESTS_ERRATA_LITMUS_CELL_H
#define TESTS_ERRATA_LITMUS_CELL_H

#include "tests/errata/litmus_memory.h"

#define LITMUS_STATES 64u

struct litmus_state {
    struct litmus_outcome outcome;
    uint64_t count;
};

/* The first run with the outcome in question, or none that there should be: all to report it. */
struct litmus_violation {
    bool seen;
    struct litmus_outcome outcome;
    uint32_t raw[LITMUS_THREADS][LITMUS_REGS];
    uint32_t base;    /* the number that 0 stood for; 1 and 2 are one and two more in each byte */
    uint8_t bytes[8]; /* the function's quadword afterwards, loaded where it is executed */
    uint64_t batch;
    unsigned instance;
    unsigned core[LITMUS_THREADS];      /* that ran each thread */
    uint64_t vector[LITMUS_THREADS];    /* of an exception that ended its run, or 0 */
    uint64_t fault_rip[LITMUS_THREADS]; /* of that */
    uint32_t between;                   /* what an execution between batches returned, or 0 */
};

struct litmus_cell {
    const struct litmus_shape *shape;
    const struct litmus_fence *fence;
    enum litmus_mapping mapping;
    unsigned registers[LITMUS_THREADS];

    uint64_t ticks, batches, runs;
    uint64_t premises;  /* runs in which the premise held */
    uint64_t positives; /* and what was asked about */
    uint64_t overlaps;  /* runs that only threads at the same time can show */
    uint64_t torn, stale, faults;
    /* Executions between batches; each must return the number that has just been set up. */
    uint64_t between, stale_between;
    struct litmus_state states[LITMUS_STATES];
    unsigned state_count;
    struct litmus_violation violation;
};

/* An empty cell. */
void litmus_cell_init(struct litmus_cell *cell, const struct litmus_shape *shape,
                      const struct litmus_fence *fence, enum litmus_mapping mapping);

/* "MP.RF.alias+cpuid" */
int litmus_cell_name(const struct litmus_cell *cell, char *out, size_t size);

/*
 * Count one run. True if it is the first that is worth a report: then the caller completes
 * cell->violation.
 */
bool litmus_cell_count(struct litmus_cell *cell, const struct litmus_outcome *outcome);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The tear map: what a core sees that executes instructions while another core changes them by one
 * store, for every kind of store and every place in a cache line.
 *
 * The oracle is a row of `movabs reg, imm64`. The store covers immediates and leaves the opcodes
 * between them as they are; it alternates between two images, in which every byte that changes is
 * 0 (old) or 0xff (new). So no mixture of the two is another instruction, nothing faults, and the
 * registers tell which bytes an execution saw: all old, all new, or torn inside one instruction.
 * Old in one instruction and new in the next is no tear: they are fetched one after the other.
 *
 *   writer (writer.h)        reader (tear_reader.c, another core)
 *     store image 1            generated loop: movabs ..., compare with what is expected
 *     wait a little            leaves the loop where they differ: judged by tear_judge()
 *     store image 0            and begins again
 *
 * Every cell has a data control: the same stores by the same writer to text that nobody executes,
 * read by one load of the store's width. It tells a torn store from a torn fetch.
 */
#ifndef TESTS_ERRATA_TEAR_H
#define TESTS_ERRATA_TEAR_H

#include "kernel/trap/trap.h"
#include "tests/errata/tear_sweep.h"
#include "tests/lib/hits.h"

/* ---- images (tear_image.c); pure ---- */

#define TEAR_INSN_BYTES 10u /* REX.W B8+r imm64 */
#define TEAR_INSN_IMM   2u  /* offset of the immediate */
#define TEAR_INSNS_MAX  7u  /* immediates that begin inside 64 bytes */

/* The two states of a row of instructions; the store begins at the first one's immediate. */
struct tear_image {
    unsigned bytes; /* of the store */
    struct tear_site site;
    uint64_t toggled[TEAR_INSNS_MAX];  /* mask of the bits of each immediate that change */
    uint64_t bytes_toggled;            /* mask of the store's bytes that change */
    uint8_t store[2][STORE_BYTES_MAX]; /* what is stored: old, new */
};
void tear_image_make(struct tear_image *image, unsigned bytes);

enum tear_outcome {
    TEAR_OLD,
    TEAR_NEW,
    TEAR_BETWEEN, /* some instructions old, some new, each of them whole */
    TEAR_TORN,    /* old and new bytes in one instruction (or in one load) */
    TEAR_FOREIGN, /* a byte that was never stored there */
};

/* Judge what was seen. *mask: the store's bytes that were new. */
enum tear_outcome tear_judge_text(const struct tear_image *image, const uint64_t *registers,
                                  uint64_t *mask);
enum tear_outcome tear_judge_data(const struct tear_image *image, const uint8_t *seen,
                                  uint64_t *mask);

/* ---- what is counted ---- */

#define TEAR_MASKS 4u /* different ones that are kept */

struct tear_counts {
    uint64_t ns;
    uint64_t stores;     /* that the writer made */
    uint64_t executions; /* or loads */
    uint64_t new_seen;   /* executions that saw the new image whole */
    uint64_t seen;       /* changes from one image to the other that the reader saw */
    uint64_t torn, between, foreign, faults;
    uint64_t masks[TEAR_MASKS]; /* of the first different torn ones; 0: none */
    struct trap_caught fault;   /* the first */
    struct hits hits;           /* of the reader's core; see hits_counters() */
    bool lost;                  /* at the end text did not hold what was stored last */
};

/* ---- one slice of time (tear_slice.c) ---- */

struct tear_cell {
    const struct store_kind *kind;
    enum tear_state state;
    unsigned placement;
    struct tear_counts counts;
};

/* Can a store of this kind be read by one load of its width on this core? */
bool tear_has_load(const struct store_kind *kind);

/*
 * Race one cell for `ns` and add what came out to its counts. Boot core, thread context,
 * interrupts on. False if text cannot be written.
 */
bool tear_slice(struct tear_setup *setup, struct tear_cell *cell, uint64_t ns);

/* Executions per second without a store, over `ns`. */
uint64_t tear_idle_rate(const struct tear_setup *setup, const struct tear_cell *cell, uint64_t ns);

/* ---- the map (tear_map.c), its verdict and its report (tear_report.c) ---- */

/* The cells of one reader: of all kinds and states in the order of their tables. */
struct tear_map {
    enum relation relation;
    struct tear_setup setup;
    const struct tear_sweep *sweep;
    bool whole;              /* every state at every placement */
    struct tear_cell *cells; /* those that are defined and asked for, by kind, state, placement */
    unsigned count;
    uint64_t slices, ns; /* of all cells together: racing, and with what lies between */
    uint64_t idle_per_s;
};

/* Changes seen by the reader below which a cell without a tear says too little. */
#define TEAR_ENOUGH 1000u

/* The kind of store that must tear everywhere: one byte after the other. */
#define TEAR_CONTROL "split-8x8"

/* What the vendor says about this cell. (tear_judge.c) */
struct promise tear_promise(const struct tear_map *map, const struct tear_cell *cell);

/*
 * Add what was seen to the test's exposure and worsen its verdict: a broken promise, a byte that
 * nobody stored, a lost store, a control that did not tear, a cell that saw no change.
 */
void tear_judge(struct test_run *t, const struct tear_map *map);

/*
 * A line of text and a record per kind and state, then members of the test's data. The record's
 * arrays have PLACEMENTS elements.
 */
void tear_report(struct test_run *t, const struct tear_map *map);

#endif

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

#include "kernel/lib/atomic.h"
#include "kernel/trap/trap.h"
#include "tests/errata/relation.h"
#include "tests/errata/store.h"

/* ---- images (tear_image.c); pure ---- */

#define TEAR_INSN_BYTES 10u /* REX.W B8+r imm64 */
#define TEAR_INSN_IMM   2u  /* offset of the immediate */
#define TEAR_INSNS_MAX  7u  /* immediates that begin inside 64 bytes */

/* The two states of a row of instructions; the store begins at the first one's immediate. */
struct tear_image {
    unsigned bytes; /* of the store */
    unsigned insns;
    uint64_t toggled[TEAR_INSNS_MAX];      /* mask of the bits of each immediate that change */
    uint64_t bytes_toggled;                /* mask of the store's bytes that change */
    uint8_t store[2][STORE_BYTES_MAX];     /* what is stored: old, new */
    uint8_t code[2 * STORE_BYTES_MAX];     /* the instructions, old: insns * TEAR_INSN_BYTES */
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

/* ---- the reader's code (tear_code.c) ---- */

/* How the instructions are reached. TEAR_DATA is the control. Names for word reader=. */
#define TEAR_STATES(X)                                                                             \
    X(HOT, "hot")         /* a loop of nothing else: micro-op cache or loop buffer */              \
    X(CALL, "call")       /* called from a loop, and return */                                     \
    X(LINE, "line")       /* after 32 KiB of straight code: from the first-level cache or beyond */ \
    X(EVICTED, "evicted") /* after CLFLUSH of the line */                                          \
    X(DATA, "data")       /* not executed: read by one load of the store's width */

enum tear_state {
#define X(id, name) TEAR_##id,
    TEAR_STATES(X)
#undef X
        TEAR_STATE_COUNT
};
const char *tear_state_name(unsigned state);

/* Shared with tear_run.asm. */
struct tear_run {
    uint64_t entry;                     /* generated code */
    uint64_t expected, expected_last;   /* of every immediate but the last; of the last */
    uint64_t count;                     /* in: executions to make; out: how many are left */
    uint64_t first, last;               /* addresses of the store's first and last byte */
    uint64_t registers[TEAR_INSNS_MAX]; /* out: of the last execution */
};

/*
 * Call run->entry. The generated loop returns when the immediates of an execution were not the
 * expected ones, or after `count` executions. (tear_run.asm)
 */
void tear_run(struct tear_run *run);

/* The same for loads of `image`'s width: NULL if this core has no load that wide. */
struct tear_load {
    uint64_t address, expected; /* of the bytes that are read, and of what they should be */
    uint64_t count;             /* as above */
    uint8_t seen[STORE_BYTES_MAX];
};
typedef void (*tear_loader)(struct tear_load *load);
tear_loader tear_loader_of(unsigned bytes);

/* Text for all cells: allocated once. False if there is none. */
bool tear_code_init(void);

/* Where the store goes for a placement; the data control has pages of its own. */
uint64_t tear_store_address(enum tear_state state, unsigned bytes, unsigned placement);

/*
 * Write the instructions of `image` and the loop around them for this state and placement; returns
 * the entry. Nobody executes it meanwhile; whoever does so next has to serialise first. Boot core,
 * thread context, text_mutex not held.
 */
uint64_t tear_code_write(const struct tear_image *image, enum tear_state state,
                         unsigned placement);

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
    bool lost;                  /* at the end text did not hold what was stored last */
};

/* ---- one slice of time (tear_slice.c) ---- */

struct tear_cell {
    const struct store_kind *kind;
    enum tear_state state;
    unsigned placement;
    struct tear_counts counts;
};

/* Who takes part, and how. */
struct tear_setup {
    unsigned reader;  /* core */
    unsigned chunk;   /* executions between two looks at the stop word */
    bool yields;      /* the reader has to hand its core over: an emulator with one thread */
    uint32_t pace_ns; /* longest wait between two stores */
    struct prng random;
};

/*
 * Race one cell for `ns` and add what came out to its counts. Boot core, thread context,
 * interrupts on. False if text cannot be written.
 */
bool tear_slice(struct tear_setup *setup, struct tear_cell *cell, uint64_t ns);

/* Executions per second without a store, over `ns`. */
uint64_t tear_idle_rate(struct tear_setup *setup, const struct tear_cell *cell, uint64_t ns);

#endif

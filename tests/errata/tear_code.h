/* SPDX-License-Identifier: MIT */
/*
 * A reader's code: instructions whose bytes another core changes, in a generated loop that compares
 * what they leave in registers with what is expected.
 */
#ifndef TESTS_ERRATA_TEAR_CODE_H
#define TESTS_ERRATA_TEAR_CODE_H

#include "kernel/lib/atomic.h"
#include "tests/errata/store.h"

#define TEAR_REGISTERS 7u

/* The instructions under test. They may change TEAR_REGISTERS registers (tear_run.asm), not RSP. */
struct tear_site {
    uint8_t code[2 * STORE_BYTES_MAX];
    unsigned code_bytes;
    unsigned store_at;  /* offset in `code` of the byte where the store begins */
    unsigned registers; /* how many, the first ones in tear_run()'s order, are compared */
    bool counts;        /* the second register starts at 0 and is not compared */
};

/* How the instructions are reached. TEAR_DATA is the control. Names for word reader=. */
#define TEAR_STATES(X)                                                                             \
    X(HOT, "hot")   /* a loop of nothing else: micro-op cache or loop buffer */                    \
    X(CALL, "call") /* called from a loop, and return */                                           \
    X(LINE, "line") /* after 32 KiB of straight code: from the first-level cache or beyond */      \
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
    uint64_t expected, expected_last;   /* of every register but the last compared; of that */
    uint64_t count;                     /* in: executions to make; out: how many are left */
    uint64_t first, last;               /* addresses of the store's first and last byte */
    uint64_t registers[TEAR_REGISTERS]; /* out: of the last execution */
};

/*
 * Call run->entry. The generated loop returns when an execution did not leave what is expected, or
 * after `count` executions. (tear_run.asm)
 */
void tear_run(struct tear_run *run);

/* The same for loads of 1, 2, 4, 8, 16, 32 or 64 bytes. */
struct tear_load {
    uint64_t address, expected; /* of the bytes that are read, and of what they should be */
    uint64_t count;             /* as above */
    uint8_t seen[STORE_BYTES_MAX];
};
void tear_load_1(struct tear_load *load);
void tear_load_2(struct tear_load *load);
void tear_load_4(struct tear_load *load);
void tear_load_8(struct tear_load *load);
void tear_load_16(struct tear_load *load);
void tear_load_32(struct tear_load *load); /* AVX */
void tear_load_64(struct tear_load *load); /* AVX-512 */

/* Text for all cells: allocated once. False if there is none. */
bool tear_code_init(void);

/* Bytes of a store that lie before the edge of placement "page": so that it is in an immediate. */
static inline unsigned tear_before_edge(unsigned bytes)
{
    return bytes < 8 ? bytes / 2 : 4;
}

/* Where a store of `bytes` goes for a placement; the data control has pages of its own. */
uint64_t tear_store_address(enum tear_state state, unsigned bytes, unsigned placement);

/*
 * Write the site, so that the store begins at `address`, and the loop around it; returns the
 * entry. Nobody executes it meanwhile; whoever does so next has to serialise first. Boot core,
 * thread context, text_mutex not held.
 */
uint64_t tear_code_write(const struct tear_site *site, enum tear_state state, uint64_t address);

#endif

/* SPDX-License-Identifier: MIT */
/* Which kinds of store, states of the reader and placements a test goes through. */
#ifndef TESTS_ERRATA_TEAR_SWEEP_H
#define TESTS_ERRATA_TEAR_SWEEP_H

#include "tests/errata/promise.h"
#include "tests/errata/relation.h"
#include "tests/errata/tear_code.h"

/* Who takes part, and how. */
struct tear_setup {
    unsigned reader;  /* core */
    unsigned chunk;   /* executions between two looks at the stop word, of a fast state */
    bool yields;      /* the reader has to hand its core over: an emulator with one thread */
    uint32_t pace_ns; /* longest wait between two stores */
    struct prng random;
};

/* What the words ask for and this machine has. */
struct tear_sweep {
    uint64_t kinds, states, relations; /* sets */
    bool placements[PLACEMENTS];
    bool states_named; /* by the user */
    enum vendor vendor;
    const char *split_locks; /* NULL: locked stores may cross a line; else why not */
};

/*
 * Read the words. False with an ERROR of the test if one of them names what does not exist. Boot
 * core, thread context.
 */
bool tear_sweep_choose(struct test_run *t, struct tear_sweep *sweep);

/* The reader that stands in this relation to core 0. False: no core does. */
bool tear_sweep_setup(struct test_run *t, enum relation relation, struct tear_setup *setup);

/* The first of the relations that are asked for and that there is; SKIP and false if none. */
bool tear_sweep_setup_first(struct test_run *t, const struct tear_sweep *sweep,
                            struct tear_setup *setup);

/* Executions of a step in this state: fewer where each takes long. */
unsigned tear_chunk(const struct tear_setup *setup, enum tear_state state);

/* Aligned quadwords, where a quadword crosses a line, and the page. */
static inline bool tear_sweep_is_edge(unsigned placement)
{
    return placement % 8 == 0 || placement > 56;
}

/*
 * For a test whose cells are many: leave out what the user has not named of the states but the hot
 * loop, and of the placements but the edges.
 */
void tear_sweep_narrow(struct tear_sweep *sweep);

/* Is it asked for, and may this kind of store go there at all? */
bool tear_sweep_has(const struct tear_sweep *sweep, const struct store_kind *kind, unsigned state,
                    unsigned placement);

/*
 * Call visit(arg, ...) for everything that is so, of the kinds that store `bytes` bytes and of the
 * states in which the code is executed. Returns how many there are; `visit` NULL: counts only.
 */
typedef void (*tear_visit)(void *arg, const struct store_kind *kind, enum tear_state state,
                           unsigned placement);
unsigned tear_sweep_visit(const struct tear_sweep *sweep, unsigned bytes, tear_visit visit,
                          void *arg);

/*
 * How long the test is to run. Without word seconds= an emulator gets a part of the default: it
 * shows its logic in few executions.
 */
uint64_t tear_sweep_ns(const struct test_run *t);

/* The same for each of `cells` cells, or the least that says anything. */
uint64_t tear_sweep_cell_ns(const struct test_run *t, unsigned cells);

/* How often a cell that has not shown what it must is tried, each time twice as long. */
#define TEAR_TRIES 5u

/* Offset in its line of the first byte of a store of `bytes` at a placement. */
unsigned tear_sweep_offset(unsigned bytes, unsigned placement);

const char *tear_state_name(unsigned state);

/*
 * A record of the test with one object `key` in it, on the JSON stream only: sweeps are longer than
 * a test's own data may be. The caller adds members. Not inside a race.
 */
struct json *tear_record_begin(const struct test_run *t, const char *key);
void tear_record_end(struct json *j);

#endif

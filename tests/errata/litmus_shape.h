/* SPDX-License-Identifier: MIT */
/*
 * A litmus test of instruction fetch, as data: what each thread does, which outcome is asked about,
 * and what the vendors say of it.
 *
 * F and G are functions that return a number; storing to the number (CODE) and calling the function
 * (EXEC) race as stores and loads of data do in the classical tests. X and Y are data. Everything
 * is 0 before. Names as in "ARMv8-A system semantics: instruction fetch in relaxed architectures"
 * (Simner et al., ESOP 2020) and in herdtools7.
 */
#ifndef TESTS_ERRATA_LITMUS_SHAPE_H
#define TESTS_ERRATA_LITMUS_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/errata/promise.h"

#define LITMUS_THREADS 4u
#define LITMUS_OPS     5u
#define LITMUS_REGS    2u /* registers that one thread observes */
#define LITMUS_TERMS   4u

/* ---- programs ---- */

enum litmus_place { LITMUS_F, LITMUS_G, LITMUS_X, LITMUS_Y, LITMUS_PLACES };

enum litmus_kind {
    LITMUS_END,
    LITMUS_EXEC,   /* r = what function F or G returns */
    LITMUS_CODE,   /* store to the number that it returns */
    LITMUS_READ,   /* r = that number, loaded as data from where it is executed */
    LITMUS_STORE,  /* store to X or Y */
    LITMUS_LOAD,   /* r = X or Y */
    LITMUS_FENCE,  /* what word rsync= says */
    LITMUS_MFENCE, /* always */
    LITMUS_POKE,   /* the same change as CODE, by the engine: INT3 and three core syncs */
};

/* The numbers that are written; what a register may hold beside those. */
enum litmus_value {
    LITMUS_INT3 = 3,  /* an INT3 was met and emulated (POKE only) */
    LITMUS_FAULT = 4, /* the execution ended in an exception */
    LITMUS_STALE = 5, /* of an earlier round, before the thread last serialised */
    LITMUS_TORN = 6,  /* a mix of bytes */
    LITMUS_VALUES = 7,
    /* Planted by a CODE: a number that is torn, an invalid instruction. */
    LITMUS_PLANT_TORN = 8,
    LITMUS_PLANT_FAULT = 9,
};

struct litmus_op {
    uint8_t kind, place, value;
};

#define LITMUS_OP(kind, place, value)                                                              \
    {                                                                                              \
        kind, place, value                                                                         \
    }
#define EXEC(place)         LITMUS_OP(LITMUS_EXEC, LITMUS_##place, 0)
#define CODE(place, value)  LITMUS_OP(LITMUS_CODE, LITMUS_##place, value)
#define READ(place)         LITMUS_OP(LITMUS_READ, LITMUS_##place, 0)
#define STORE(place, value) LITMUS_OP(LITMUS_STORE, LITMUS_##place, value)
#define LOAD(place)         LITMUS_OP(LITMUS_LOAD, LITMUS_##place, 0)
#define FENCE               LITMUS_OP(LITMUS_FENCE, 0, 0)
#define MFENCE              LITMUS_OP(LITMUS_MFENCE, 0, 0)
#define POKE(place)         LITMUS_OP(LITMUS_POKE, LITMUS_##place, 1)

/* ---- outcomes: a conjunction of terms ---- */

enum litmus_relation { LITMUS_NO_TERM, LITMUS_IS, LITMUS_IS_NOT };

/* Register `reg` of thread `thread`: its first observation is 0. */
struct litmus_term {
    uint8_t relation, thread, reg, value;
};

#define LITMUS_TERM(relation, thread, reg, value)                                                  \
    {                                                                                              \
        relation, thread, reg, value                                                               \
    }
#define IS(thread, reg, value)     LITMUS_TERM(LITMUS_IS, thread, reg, value)
#define IS_NOT(thread, reg, value) LITMUS_TERM(LITMUS_IS_NOT, thread, reg, value)

/* ---- what a vendor says of the outcome ---- */

enum litmus_word {
    LITMUS_UNSPECIFIED, /* nothing public: seen is a finding */
    LITMUS_ALLOWED,     /* the manual says that it may happen */
    LITMUS_GUARANTEED,  /* the manual excludes it: seen is a FAIL */
};

/* Of one vendor. `source` NULL: nothing public. */
struct litmus_promise {
    uint8_t alias;  /* the code is written through another address than it is executed from */
    uint8_t same;   /* through the same one */
    uint8_t fenced; /* either, and FENCE is an instruction that counts (see `counts`) */
    const char *source;
};

/* Which instructions count as a FENCE of this shape. */
enum litmus_counts {
    LITMUS_SERIALISES, /* those that the vendor calls serialising */
    LITMUS_DRAINS,     /* those that keep later loads behind earlier stores */
};

struct litmus_shape {
    const char *name;
    unsigned threads;
    struct litmus_op program[LITMUS_THREADS][LITMUS_OPS];
    /* The outcome in question is `premise` and `asked`; only runs with the premise test it. */
    struct litmus_term premise[LITMUS_TERMS], asked[LITMUS_TERMS];
    /* What only threads that ran at the same time can show: proof that they met. */
    struct litmus_term overlap[LITMUS_TERMS];
    enum litmus_counts counts;
    struct litmus_promise promise[VENDOR_OTHER + 1]; /* of an unknown vendor nothing is known */
    unsigned delay; /* most turns of an empty loop before a run; 0: default */
    bool control;   /* real cores show it where it is allowed */
    bool careless;  /* planted: functions are not set up between batches */
};

/* What the registers of all threads hold, as enum litmus_value. */
struct litmus_outcome {
    uint8_t reg[LITMUS_THREADS][LITMUS_REGS];
};

/* Does the outcome fulfil every term? All of none. */
bool litmus_holds(const struct litmus_term terms[static LITMUS_TERMS],
                  const struct litmus_outcome *outcome);

/* How many registers a thread observes; does any thread, or this one, do `kind`? */
unsigned litmus_registers(const struct litmus_shape *shape, unsigned thread);
bool litmus_thread_does(const struct litmus_shape *shape, unsigned thread, enum litmus_kind kind);
bool litmus_does(const struct litmus_shape *shape, enum litmus_kind kind);
/* How many threads store to code. */
unsigned litmus_writers(const struct litmus_shape *shape);

/* ---- as text, as herd writes it; each returns its length like snprintf ---- */

/* "0: W f=1; W x=1 | 1: r0=R x; fence; r1=F f" */
int litmus_print_program(const struct litmus_shape *shape, char *out, size_t size);
/* "1:r0=1 /\ ~(1:r1=1)": premise and what is asked. */
int litmus_print_condition(const struct litmus_shape *shape, char *out, size_t size);
/* "1:r0=1; 1:r1=stale;" */
int litmus_print_outcome(const struct litmus_shape *shape, const struct litmus_outcome *outcome,
                         char *out, size_t size);

const char *litmus_word_name(enum litmus_word word);

#endif

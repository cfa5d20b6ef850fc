/* SPDX-License-Identifier: MIT */
/*
 * Memory of the litmus tests: functions that are written and executed, code of the threads, data,
 * results. One block of text, made once: functions first, in pages that hold nothing else.
 */
#ifndef TESTS_ERRATA_LITMUS_MEMORY_H
#define TESTS_ERRATA_LITMUS_MEMORY_H

#include "kernel/lib/prng.h"
#include "tests/errata/litmus_code.h"

#define LITMUS_INSTANCES 64u

/*
 * What every function returns before the first batch; where G is the landing pad of an emulated
 * INT3 of F, for good. No number of a batch has such bytes.
 */
#define LITMUS_NUMBER_OF_INT3 0xccccccccu

/* Through which address code is written: levels of word mapping=. */
enum litmus_mapping { LITMUS_ALIAS, LITMUS_SAME, LITMUS_MAPPINGS };
const struct levels *litmus_mapping_levels(void);

struct litmus_memory {
    uint8_t *text; /* where it is executed */
    uint8_t *view; /* where functions are written, while a writer has them open; else NULL */
    uint8_t *data;
    uint32_t (*results)[LITMUS_INSTANCES][LITMUS_REGS]; /* by thread: pages of its own */
    /* Lines of an instance's places: shuffled for each cell, so that no neighbours are special. */
    uint32_t place[LITMUS_INSTANCES][LITMUS_PLACES];
    uint32_t code[LITMUS_THREADS][LITMUS_INSTANCES]; /* where each thread's begins in text */
};

/* The one block, made at the first call. NULL if there is no memory. Boot core, thread context. */
struct litmus_memory *litmus_memory_get(void);

/* Draw the places of all instances anew. */
void litmus_memory_shuffle(struct litmus_memory *memory, struct prng *random);

/*
 * Write the threads' code, and serialise every core: what was executed there before is gone. Nobody
 * executes the text. False if the engine refused.
 */
bool litmus_memory_fill(struct litmus_memory *memory, const struct litmus_shape *shape,
                        const struct litmus_fence *fence, void (*poke)(unsigned instance),
                        struct prng *random);

/* Where the code of a thread and instance is executed. */
litmus_code litmus_memory_code(const struct litmus_memory *memory, unsigned thread,
                               unsigned instance);

/* Serialise this core: IRET to self, without a trip to the hypervisor as CPUID. */
void litmus_memory_serialise(const struct litmus_memory *memory);

/* Execute function `place` of an instance. */
uint32_t litmus_memory_call(const struct litmus_memory *memory, unsigned instance,
                            enum litmus_place place);

/* NULL, or why this machine cannot run the shape with this mapping. Constant text. */
const char *litmus_memory_lacking(const struct litmus_shape *shape, enum litmus_mapping mapping);

/*
 * LITMUS_SAME: use a second mapping of the whole text that is writable and executable, until
 * litmus_memory_same_close(). False where there is none: on bare metal, always (W^X).
 */
bool litmus_memory_same_open(struct litmus_memory *memory);
void litmus_memory_same_close(struct litmus_memory *memory);

/*
 * LITMUS_ALIAS: a writable view of the functions, for one core; takes text_mutex. On bare metal
 * interrupts are off until the close, and it may be open for less than a millisecond.
 */
bool litmus_memory_alias_open(struct litmus_memory *memory);
void litmus_memory_alias_close(struct litmus_memory *memory);

#endif

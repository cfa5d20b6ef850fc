/* SPDX-License-Identifier: MIT */
/*
 * What poke/poke.h promises, in the plainest form: the text as one array, the queue as a list, and
 * for each call its answer, from the contract and the fake machine's switches alone. Whether bytes
 * are an instruction is asked of poke_insn_decode(), which has a fuzzer of its own.
 *
 * A function of the model has the arguments of the engine's, and is called by the same core.
 */
#ifndef TESTS_FUZZ_BATCH_MODEL_H
#define TESTS_FUZZ_BATCH_MODEL_H

#include "poke/poke.h"
#include "tests/host/fake_machine.h"

struct model_site {
    uintptr_t addr;
    size_t len;
    uint8_t text[TEXT_POKE_MAX_OPCODE_SIZE];
};

extern struct model {
    unsigned holder; /* of text_mutex: core + 1; 0: nobody */
    unsigned count;  /* of sites in the queue */
    struct model_site sites[TEXT_POKE_ARRAY_MAX];
    unsigned open_count; /* of sites in the batch that was left open; 0: none */
    struct model_site open_sites[TEXT_POKE_ARRAY_MAX];
    unsigned opens, syncs;        /* what the fake machine must have counted since its reset */
    unsigned batches, not_opened; /* that ran; openings that were refused */
} model;

/* The queue empty, core 0 the holder, the text and the counts as fake_reset() leaves them. */
void model_reset(void);

/* Does the core that calls hold text_mutex? */
bool model_holds(void);

enum poke_error model_add(uintptr_t addr, const uint8_t *bytes, size_t len, const uint8_t *emulate,
                          bool *flushed);
enum poke_error model_finish(void);
void model_sync(void);
void model_unlock(void);

enum model_write { MODEL_POKE, MODEL_COPY, MODEL_SET, MODEL_EARLY };

/* text_poke() and its relatives. */
enum poke_error model_write(enum model_write how, uintptr_t addr, const uint8_t *bytes, size_t len);

/* Does the fake machine's text hold what it should, from the first byte to the last? */
bool model_text_is_right(void);

#endif

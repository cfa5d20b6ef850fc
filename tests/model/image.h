/* SPDX-License-Identifier: MIT */
/*
 * The instructions that a site of the model may hold, and what the processor does with them:
 * written down by hand and independent of the engine's decoder and emulation.
 */
#ifndef TESTS_MODEL_IMAGE_H
#define TESTS_MODEL_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#define IMAGE_MAX 6 /* bytes of the longest slot */

enum image_kind {
    IMAGE_NOP,
    IMAGE_XOR, /* of a register with itself; the model has no registers to show it */
    IMAGE_JMP,
    IMAGE_CALL,
    IMAGE_RET,
    IMAGE_JE,
    IMAGE_JNE,
    IMAGE_INT3,
};

struct image {
    const char *name;
    enum image_kind kind;
    uint8_t slot; /* bytes of the slot */
    uint8_t len;  /* of the instruction; INT3 fills the rest of the slot */
    int32_t disp; /* where JMP, CALL, JE, JNE go, from the end of the instruction */
    uint8_t bytes[IMAGE_MAX];
};

/* Where an execution at `addr` ends: the next instruction, and what happened to the stack. */
struct flow {
    uintptr_t ip;
    int sp_words;    /* -1: one word pushed; 1: one popped */
    uint64_t pushed; /* the word, if one was pushed */
};

#define FLAG_ZF (1u << 6) /* RFLAGS.ZF (SDM vol 1, 3.4.3.1) */

/* Execute an image other than INT3; `stack` is the word on top of the stack. Pure. */
struct flow image_run(const struct image *image, uintptr_t addr, uint64_t flags, uint64_t stack);

bool image_is_conditional(const struct image *image);

/*
 * Bytes that the instruction beginning with `bytes` has, of which `have` are known: more than
 * `have` if more must be fetched to go on, 0 if no image of the model begins like this. Pure.
 */
unsigned image_length(const uint8_t *bytes, unsigned have);

#endif

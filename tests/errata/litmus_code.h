/* SPDX-License-Identifier: MIT */
/*
 * Machine code of one thread of a litmus test, for one instance of its variables. It is straight
 * code: calls, stores and loads have fixed places, so that the front end can run ahead of a load as
 * far as the processor lets it. Pure.
 */
#ifndef TESTS_ERRATA_LITMUS_CODE_H
#define TESTS_ERRATA_LITMUS_CODE_H

#include "kernel/lib/atomic.h"
#include "kernel/lib/prng.h"
#include "tests/errata/litmus_fence.h"
#include "tests/errata/litmus_shape.h"

#define LITMUS_CODE_BYTES 320u /* of one thread and instance */

/*
 * A function that returns a number, in a cache line of its own: mov eax, imm32; ret. The
 * instruction lies inside one naturally aligned quadword, and its number is an aligned dword.
 */
#define LITMUS_ENTRY 3u /* offset of the instruction in the line */
#define LITMUS_IMM   4u /* of the number */

/* Write such a line. */
void litmus_code_function(uint8_t line[static CACHE_LINE], uint32_t number);
/* The line's first quadword, which is all that ever changes. */
static inline uint64_t litmus_code_quadword(uint32_t number)
{
    return (uint64_t)number << 32 | 0xb8cccccc; /* INT3s, MOV EAX */
}

/*
 * What the code is called with: where functions are written and data lies, where the thread's
 * registers are stored at the end, and the numbers that 1 and 2 stand for.
 */
typedef void (*litmus_code)(uint8_t *view, uint8_t *data, uint32_t *results, uint32_t one,
                            uint32_t two);

/* Where the instance's variables are, in bytes. */
struct litmus_layout {
    uint32_t at;                     /* this code, from the start of text */
    uint32_t place[LITMUS_PLACES];   /* functions from there, data from the start of data */
    uint32_t results;                /* from the results pointer */
    void (*poke)(unsigned instance); /* what POKE calls */
    unsigned instance;
};

/* How the steps of one instance are spaced, drawn anew for each. */
enum litmus_spacing {
    LITMUS_CLOSE,
    LITMUS_PAUSED, /* PAUSEs in between: under an emulator that takes turns, threads meet there */
    LITMUS_SLOW,   /* addresses of loads come late, so that what follows is fetched before them */
    LITMUS_SPACINGS
};

/* Generate the code of `program` into `out`; returns its length. */
size_t litmus_code_thread(uint8_t out[static LITMUS_CODE_BYTES],
                          const struct litmus_op program[static LITMUS_OPS],
                          const struct litmus_fence *fence, const struct litmus_layout *layout,
                          enum litmus_spacing spacing, struct prng *random);

#endif

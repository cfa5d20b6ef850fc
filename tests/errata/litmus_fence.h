/* SPDX-License-Identifier: MIT */
/* What a thread executes between two steps of a litmus test: the levels of word rsync=. */
#ifndef TESTS_ERRATA_LITMUS_FENCE_H
#define TESTS_ERRATA_LITMUS_FENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/errata/levels.h"
#include "tests/errata/promise.h"

#define LITMUS_FENCE_BYTES 24u

struct litmus_fence {
    const char *name;
    uint8_t length; /* bytes of code */
    /*
     * Changes RAX, RBX, RCX, RDX and flags at most; RSP points at a word that may be rewritten with
     * its own value, and there is room below it.
     */
    uint8_t code[LITMUS_FENCE_BYTES];
    bool serialises[VENDOR_OTHER + 1]; /* the manual's list of serialising instructions */
    bool drains;                       /* a load after it comes behind every store before it */
    bool privileged;
    bool by_cpuid; /* is SERIALIZE, which not every processor has */
};

extern const struct litmus_fence litmus_fences[];
extern const unsigned litmus_fence_count;

/* The names as levels of word rsync=. */
const struct levels *litmus_fence_levels(void);
/* NULL, or why this machine cannot execute it. Constant text. */
const char *litmus_fence_lacking(const struct litmus_fence *fence);
/* The one that is everywhere, quick, and serialising for every vendor: IRET to the next line. */
const struct litmus_fence *litmus_fence_iret(void);

#endif

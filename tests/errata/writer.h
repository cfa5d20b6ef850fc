/* SPDX-License-Identifier: MIT */
/*
 * The writer of a cell: stores to text through the alias, one store of a kind after the other, with
 * a random wait between them. Right for both machines: bursts of open, stores, close.
 */
#ifndef TESTS_ERRATA_WRITER_H
#define TESTS_ERRATA_WRITER_H

#include "tests/errata/store.h"

struct writer {
    const struct store_kind *kind;
    uint64_t to; /* address in patchable text */
    /* The bytes of store `n`, from 1 on: as they are until the next call. */
    const uint8_t *(*image)(void *arg, uint64_t n);
    void *arg;
    uint32_t pace_ns; /* longest wait between two stores; bursts differ in theirs */
    struct prng random;
    uint64_t stores;     /* made so far */
    const uint8_t *last; /* what the last one stored; NULL: none yet */
    bool lost;           /* text or the alias did not hold what had been stored last */
};

/*
 * Store for `ns`, at least once. False if there is no alias. One core at a time; thread context,
 * interrupts on, text_mutex not held.
 */
bool writer_run(struct writer *w, uint64_t ns);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The kinds of store that a writer can change code with: one instruction each, but for those that
 * are split on purpose. As data, for every cell.
 */
#ifndef TESTS_ERRATA_STORE_H
#define TESTS_ERRATA_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/errata/levels.h"

#define STORE_BYTES_MAX 64u

/* What the processor must have, and an operating system must have enabled. */
enum store_needs {
    STORE_NEEDS_NOTHING, /* every x86-64 processor has it */
    STORE_NEEDS_CMPXCHG16B,
    STORE_NEEDS_SSE, /* the vector state; the instructions are in every x86-64 processor */
    STORE_NEEDS_AVX,
    STORE_NEEDS_AVX512,
    STORE_NEEDS_MOVDIRI,
    STORE_NEEDS_MOVDIR64B,
};

struct store_kind {
    const char *name;
    unsigned bytes;     /* how many one call changes */
    unsigned alignment; /* `to` must be a multiple of it, or the instruction faults; 1: any */
    unsigned pieces;    /* stores that one call makes, by the instruction's definition */
    bool locked;        /* across a line it is a split lock: see store_split_locks() */
    bool weak; /* written around the cache or in an order of its own: an SFENCE follows it */
    enum store_needs needs;
    /*
     * Store `bytes` bytes from `from` to `to`. Clobbers vector register 0 and the mask register 1
     * of the kinds that need vector state: between store_vectors_begin() and _end() only.
     */
    void (*store)(void *to, const void *from);
};

extern const struct store_kind store_kinds[];
extern const unsigned store_kind_count;

/* The kinds' names as the levels of word store=. */
const struct levels *store_levels(void);
/* The kind of this name, NULL if there is none. */
const struct store_kind *store_kind_find(const char *name);

/* Has this core what the kind needs? Any core. */
bool store_available(const struct store_kind *kind);

/*
 * Enable the vector state on this core for what `kind` (its store, or loads of its width) needs,
 * and give it back as it was. On bare metal SSE, AVX or AVX-512 are on only in between; in a
 * process the operating system's state is left alone. Nothing else uses vector registers, and
 * traps do not save them: a handler that ran in between has not touched them. The kind must be
 * available. Thread context; not nested.
 */
struct store_vectors {
    uint64_t cr0, cr4, xcr0;
    bool changed, has_xcr0;
};
void store_vectors_begin(struct store_vectors *saved, const struct store_kind *kind);
void store_vectors_end(const struct store_vectors *saved);

/*
 * May a locked instruction cross a cache line here? Tried once: it may fault (#AC, where
 * MSR_TEST_CTRL bit 29 is set), or be made so slow by an operating system or a hypervisor that a
 * cell would learn nothing. NULL if it may, else why not. `line` is the start of two writable
 * cache lines. Thread context.
 */
const char *store_split_locks(void *line);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A site: one patchable instruction at a chosen address, in code that says which image ran.
 *
 *     entry:  xor eax, eax            ZF and PF set; CF, SF and OF clear
 *             mov eax, base           a number of this site alone
 *     slot:   the patched instruction, 2, 5 or 6 bytes
 *             lea eax, [rax + mark]
 *             ret
 *     target: mov eax, base + image   one for each image that calls or jumps; nobody else's number
 *             mov rdx, [rsp]
 *             mov rcx, rsp
 *             ret
 *
 * So every image leaves another number in EAX, its signature:
 *     falls through (NOP, skip, Jcc not taken)  base + mark
 *     calls                                base + image + mark
 *     jumps (JMP, Jcc taken)               base + image
 *     returns                              base
 * and anything else is the work of an instruction that was never written: a torn one. Targets lie
 * far on both sides, so that the displacements of A and B differ in two bytes at least; everything
 * around the code is INT3, where a torn jump ends in a #BP that nobody claims.
 *
 * From slot on no flag changes but by the patched instruction: tests may call the slot itself.
 */
#ifndef TESTS_LIB_SITE_H
#define TESTS_LIB_SITE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/lib/prng.h"
#include "poke/poke.h"

#define SITE_MARK       0x8000u
#define SITE_IMAGES_MAX 8
#define SITES_MAX       96
#define SITE_LEN_MAX    12

enum site_kind {
    SITE_NOP,
    SITE_NOPS, /* one-byte NOPs: several instructions */
    SITE_SKIP, /* JMP8 over the rest of the slot */
    SITE_CALL,
    SITE_JMP32,
    SITE_JMP8,
    SITE_RET,
    SITE_JCC_TAKEN, /* with the flags that the prologue leaves */
    SITE_JCC_NOT_TAKEN,
    SITE_KINDS
};
const char *site_kind_name(enum site_kind kind);

struct site_image {
    uint8_t bytes[SITE_LEN_MAX];
    uint8_t kind; /* enum site_kind */
    uint32_t signature;
};

#define SITE_HISTORY 64 /* a power of two */

/*
 * `begin`, `done` and `history` are written by the patcher only and read by every executor;
 * oracle.h has the argument that orders them. The rest is constant once built.
 */
struct site {
    uint64_t begin __attribute__((aligned(CACHE_LINE))); /* versions whose patch has begun */
    uint64_t done;                                       /* versions whose patch has finished */
    uint8_t history[SITE_HISTORY]; /* image of version v at v % SITE_HISTORY */

    void *entry __attribute__((aligned(CACHE_LINE)));
    uint8_t *slot;
    uint32_t base;
    uint16_t index; /* in its set */
    uint8_t len;
    uint8_t images;
    struct site_image image[SITE_IMAGES_MAX];
};

/* The images that a site goes through; a set never has two with the same signature. */
enum site_family {
    SITE_5,       /* nop5, call A, call B, jmp A, jmp B, ret padded, jmp8 padded */
    SITE_5_CALL,  /* nop5, call A */
    SITE_5_CALLS, /* call A, call B */
    SITE_5_JMPS,  /* nop5, jmp A, jmp B */
    SITE_2,       /* nop2, jmp8 A, jmp8 B, ret padded */
    SITE_2_JCC,   /* jcc A, jcc B, jcc not taken, ret padded */
    SITE_6,       /* nop6, jmp A padded, jmp B padded, ret padded */
    SITE_6_JCC,   /* jcc A, jcc B, jcc not taken, jmp8 padded */
    /* For protocols that are not the engine's (tests/errata/wild.c): */
    SITE_5_NOPS, /* five one-byte NOPs, call A */
    SITE_11,     /* XRay's entry sled: skip; mov r10d, id and call A */
    SITE_FAMILIES
};

/* Where: the slot's offset from the set's first page. Sites take [offset - 16, offset + 80). */
struct site_spec {
    uint8_t family; /* enum site_family */
    uint32_t offset;
};

struct site_set {
    struct site *sites; /* ascending by address */
    unsigned count;
};

/*
 * Build `count` sites (ascending by offset, at most SITES_MAX) in text of their own, each with its
 * first image; condition codes and targets come from `rng`. There is one set at a time: building
 * the next one ends the use of the last. False if memory is short or the engine refused. Boot core,
 * thread context, text_mutex not held, nobody executes a site.
 */
bool site_set_build(struct site_set *set, const struct site_spec *specs, unsigned count,
                    struct prng *rng);

/* Does the slot of `len` bytes cross a boundary of `grain` bytes (a power of two)? */
static inline bool site_crosses(const struct site *s, uintptr_t grain)
{
    uintptr_t first = (uintptr_t)s->slot, last = first + s->len - 1;

    return (first ^ last) & ~(grain - 1);
}

/* Index of the image of version `v`. */
static inline unsigned site_image_of(const struct site *s, uint64_t v)
{
    return load_relaxed(&s->history[v % SITE_HISTORY]);
}

/*
 * Call `entry` with the stack moved down by `shift` bytes (0: RSP is 8 mod 16 at the first
 * instruction; 8: 0 mod 16) and return EAX. If RSP, RBP or a callee-saved register comes back
 * changed, it ends in a UD2 at site_call_corrupted. Any context.
 */
uint32_t site_call(void *entry, uint64_t shift);
extern const uint8_t site_call_corrupted[];

#endif

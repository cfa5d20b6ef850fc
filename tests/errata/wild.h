/* SPDX-License-Identifier: MIT */
/*
 * Protocols in the wild: how kernels, runtimes, tracers and papers change code that other cores
 * execute. A row is either a row of the engine's steps or a function that patches one site by its
 * own stores, through an alias. What it may show is said per vendor, and on whose word.
 */
#ifndef TESTS_ERRATA_WILD_H
#define TESTS_ERRATA_WILD_H

#include "tests/errata/promise.h"
#include "tests/lib/race.h"

/* The largest boundary that the slot crosses; that the head of two bytes does, for an XRay sled. */
enum wild_place { IN_8, ACROSS_8, ACROSS_16, ACROSS_32, ACROSS_64, ACROSS_PAGE, WILD_PLACES };

struct wild_row {
    const char *name;
    const char *promise;                  /* one line */
    const char *source;                   /* on whose word */
    const struct poke_protocol *protocol; /* the engine's steps, or */
    site_patch patch;                     /* its own stores */
    uint8_t family;                       /* enum site_family */
    bool only_in_8;                       /* it is defined inside one aligned quadword only */
    bool retries_int3;                    /* whoever meets its INT3 tries again */
    bool tears_in_turns; /* its tearing shows where cores take turns, as on an emulator */
    bool synchronises;   /* a stale execution afterwards is torn's equal */
    /*
     * What the vendor, or else the author, says about a torn execution (enum promise_kind): seen,
     * it is a FAIL where it is PROMISE_WHOLE and a finding where it is PROMISE_UNSPECIFIED; not
     * seen where it is PROMISE_TORN, the detector is blind.
     */
    uint8_t intel[WILD_PLACES], amd[WILD_PLACES];
};
extern const struct wild_row wild_rows[];
extern const unsigned wild_row_count;

/*
 * Does this code run in ring 0? There a torn instruction may be any privileged one, and end the
 * machine instead of the cell. So sites keep their opcode (only displacements can tear), and rows
 * whose other bytes can be executed are left to processes.
 */
bool wild_in_ring_0(void);
/* The family of sites of 5 bytes that may tear here: SITE_5, or SITE_5_CALLS in ring 0. */
uint8_t wild_family_5(void);

/* One race of a row; see race_run(). */
const struct race_result *wild_race(struct test_run *t, const struct wild_row *row,
                                    const struct site_spec *specs, unsigned count, uint64_t ms);
const struct wild_row *wild_find(const char *name);

#endif

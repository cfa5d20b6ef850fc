/* SPDX-License-Identifier: MIT */
/* A writer on this core against a reader on another one, for a given time. */
#ifndef TESTS_ERRATA_TEAR_RACE_H
#define TESTS_ERRATA_TEAR_RACE_H

#include "kernel/lib/atomic.h"
#include "kernel/trap/trap.h"
#include "tests/errata/writer.h"
#include "tests/lib/hits.h"

struct tear_race {
    /*
     * The reader: step(arg) is called until the race is over; it executes what is under test some
     * times, and judges. A fault ends a step, on_fault(arg, ...) is told (NULL: nobody), and the
     * next one begins; after FAULTS_MAX of them the reader gives up.
     */
    void (*step)(void *arg);
    void (*on_fault)(void *arg, const struct trap_caught *caught);
    void *arg;
    const struct store_kind *loads; /* NULL, or step() has loads of this kind's width */
    bool yields; /* a PAUSE after each step: an emulator with one thread changes cores only there */

    /* What came of it. */
    uint64_t ns, faults;
    struct trap_caught fault; /* the first */
    struct hits hits;         /* of the reader's core */

    uint32_t running __attribute__((aligned(CACHE_LINE))); /* release by the reader */
    uint32_t over __attribute__((aligned(CACHE_LINE)));    /* release by the writer's core */
};

/*
 * Run the reader on core `core`, and writer_run(w, ns) here once it runs; with `w` NULL only time
 * passes. Before its first step the reader serialises, since its code may have been written by this
 * core (SDM vol 3A, "Handling Self- and Cross-Modifying Code"). What was written before the call is
 * visible to it, and its results are visible after it. False if the core is not idle or text cannot
 * be written. Boot core, thread context, interrupts on.
 */
bool tear_race(struct tear_race *race, unsigned core, struct writer *w, uint64_t ns);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A machine for the engine's host tests: text is a buffer that is mapped read-only, the window
 * writes through another mapping of it, cores take turns when they are told to. It writes down what
 * the engine does, checks the contract of poke/machine.h, and can be told to misbehave.
 */
#ifndef TESTS_HOST_FAKE_MACHINE_H
#define TESTS_HOST_FAKE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "poke/event_log.h"
#include "poke/machine.h"

#define FAKE_CORES      4
#define FAKE_PAGES      260
#define FAKE_TEXT_BYTES (FAKE_PAGES * (size_t)MACHINE_PAGE)
#define FAKE_FILL       0xAA /* the text after a reset */

struct fake_machine {
    bool offline[FAKE_CORES];
    uint64_t clock, skew;

    /* Misbehaviour; syncs and stores count from 1 since the reset, 0: never. */
    unsigned silent_core, silent_sync;   /* this core does not acknowledge that sync */
    unsigned shifted_core, shifted_sync; /* this core's acknowledgement of that sync is logged */
    int64_t shift;                       /* with a time that is so many ticks later */
    unsigned lost_store;                 /* this store does not reach the text */
    unsigned refused_open;               /* this opening fails */
    uintptr_t forbidden;                 /* a range that holds this address is not patchable */

    /* What happened since the reset. */
    unsigned syncs, stores, opens, relaxes;
    bool open;
    const char *phase;
    char
        trace[16384]; /* "(" open, ")" close, "|" sync, "e81100@10" bytes stored at a text offset */

    /* Called after each store and sync, and in each machine_relax(). */
    void (*hook)(void);
};
extern struct fake_machine fake;
extern uint8_t *fake_text;
extern _Thread_local unsigned fake_core; /* which core the caller is */

/* New text, cores and logs with `log_entries` entries per core. The engine keeps its own state. */
void fake_reset(uint32_t log_entries);

/* Change the text behind the engine's back. */
void fake_write(size_t offset, const void *bytes, size_t len);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Does this machine execute code that is gone? A short self-test at the start of each run, so that
 * every report names the rate of its own emulator or processor: a byte of an instruction is
 * rewritten by text_poke(), all cores are synchronised, and from then on no other core may execute
 * what was there before. QEMU's multi-threaded software emulation does, by the million.
 */
#ifndef TESTS_LIB_STALENESS_H
#define TESTS_LIB_STALENESS_H

#include <stdbool.h>
#include <stdint.h>

struct staleness {
    uint64_t patches;    /* each followed by a sync of all cores */
    uint64_t executions; /* by another core, meanwhile */
    uint64_t stale;      /* of a number that had been replaced, and synchronised, before */
};

/*
 * Measure for some 30 ms, on this core and the next. False if there is no other core, no memory, or
 * the engine refuses.
 * Boot core, thread context, nobody patches.
 */
bool staleness_measure(struct staleness *out);

#endif

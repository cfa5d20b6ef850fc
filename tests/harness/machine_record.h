/* SPDX-License-Identifier: MIT */
/* What the report says of the machine, and what follows for its results. */
#ifndef TESTS_HARNESS_MACHINE_RECORD_H
#define TESTS_HARNESS_MACHINE_RECORD_H

#include "kernel/lib/words.h"
#include "tests/harness/record.h"

/* Records "cpu" and "time". Every core that will ever come up is up. */
void machine_record_cpu(const struct words *w);
void machine_record_time(void);

/* One line for people: brand, microcode, cores, clock. */
void machine_describe_cpu(char *out, size_t size);

/* Record "staleness", if there are two cores: tests/lib/staleness.h. After the event rings. */
void machine_record_staleness(void);

/* A line of the report for each core that did not come up. Returns how many. */
unsigned machine_name_missing_cores(void);

/* Is the processor QEMU's software emulation? */
bool machine_is_emulated(void);

/* Reasons against believing times measured on this machine. */
struct trust machine_trust(void);

/*
 * Does a verdict of this machine mean anything? QEMU's software emulation with several threads
 * executes stale code under a correct protocol: only with word accel=tcg, that is with one thread,
 * it is judged. `*note` (constant) is what the report's end says about it, NULL: nothing.
 */
bool machine_is_judged(const struct words *w, const char **note);

#endif

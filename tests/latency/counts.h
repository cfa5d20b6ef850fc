/* SPDX-License-Identifier: MIT */
/* What the engine and the machine count, before and after an operation: exact on every machine. */
#ifndef TESTS_LATENCY_COUNTS_H
#define TESTS_LATENCY_COUNTS_H

#include "poke/poke.h"
#include "smp/smp.h"

/* Differences, after counts_end(). */
struct counts_taken {
    struct poke_counters engine;
    struct smp_ipi_counts ipis;
};

/* Both under text_mutex, with no other core sending interrupts meanwhile. */
void counts_begin(struct counts_taken *c);
void counts_end(struct counts_taken *c);

#endif

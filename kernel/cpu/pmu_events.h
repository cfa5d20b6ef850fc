/* SPDX-License-Identifier: MIT */
/*
 * Performance counters as CPUID describes them, and the events that show that a core was hit by a
 * store to the code that it executes. No privileged instruction: for the kernel and a process.
 */
#ifndef KERNEL_CPU_PMU_EVENTS_H
#define KERNEL_CPU_PMU_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/cpu/signature.h"

#define PMU_EVENTS 2u

struct pmu_event {
    const char *name;
    uint8_t event, umask; /* bits 7:0 and 15:8 of an event select register */
};

/* The same on every processor that has counters. */
extern const struct pmu_event pmu_instructions;

/* What CPUID says of this core; zeros where a leaf is missing. */
struct pmu_cpuid {
    char vendor[13];
    struct cpu_signature signature;
    struct cpuid leaf_a, leaf_1a, leaf_80000001;
};
struct pmu_cpuid pmu_cpuid(void);

/* The general counters of a core: registers of the first one, and the step to the next. */
struct pmu_layout {
    uint32_t select, counter, step;
    uint32_t global; /* a second enable bit for each counter; 0: there is no such register */
    unsigned counters;
    uint64_t mask; /* of a counter's bits */
};

/* NULL, or why there is no counter to use: a constant phrase. */
const char *pmu_find_counters(const struct pmu_cpuid *id, struct pmu_layout *layout);

/*
 * PMU_EVENTS events, the most telling one first. NULL if they are not known for this processor: on
 * another one the same numbers may count something else.
 */
const struct pmu_event *pmu_find_events(const struct pmu_cpuid *id);

/*
 * The self-check: a counter of pmu_instructions is read three times, with nothing between the first
 * two and pmu_retire() between the last two. Did it count these instructions, and not just
 * anything?
 */
bool pmu_is_counting(uint64_t idle, uint64_t busy);
void pmu_retire(void);

#define PMU_NOT_COUNTING                                                                           \
    "a counter does not count: known instructions were executed without a trace"
#define PMU_NO_EVENTS "the events of this processor model are not known"

#endif

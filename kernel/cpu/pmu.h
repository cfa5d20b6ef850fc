/* SPDX-License-Identifier: MIT */
/*
 * Performance counters of one core: the machine clears or invalidated lines that show that a core
 * was hit by stores to the code that it executes. Each function runs on the core that is counted,
 * in thread context.
 */
#ifndef KERNEL_CPU_PMU_H
#define KERNEL_CPU_PMU_H

#include "kernel/cpu/pmu_events.h"

struct pmu {
    const struct pmu_event *events;
    unsigned count;     /* how many of them are counted, from the first on; 0: none can be */
    const char *reason; /* why none can be, a constant phrase; else NULL */
    uint64_t last[PMU_EVENTS], sum[PMU_EVENTS];

    /* the machine's: counter numbers or file descriptors; what the kernel found in its registers */
    int handles[PMU_EVENTS];
    struct pmu_layout layout;
    unsigned saved;
    uint64_t saved_select[PMU_EVENTS], saved_global;
};

/*
 * Begin to count on this core. Counters that are in use are left alone. Before an event is trusted
 * the counter has to count instructions. Does not fail: see `count` and `reason`.
 */
void pmu_open(struct pmu *pmu);

/*
 * What was counted since pmu_open(), in pmu->sum; exact between two reads if fewer events lie
 * between them than a counter has values. A read that fails ends it all: `count` is 0 from then on.
 */
void pmu_read(struct pmu *pmu);

/* Stop, and leave the registers of selection and enabling as they were. */
void pmu_close(struct pmu *pmu);

#endif

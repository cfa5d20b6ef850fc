/* SPDX-License-Identifier: MIT */
/*
 * A simulated core with performance counters: what CPUID says of it, and a file of model-specific
 * registers. Time passes in fake_retire() only: whatever is selected and enabled counts there.
 */
#ifndef TESTS_HOST_FAKE_PMU_H
#define TESTS_HOST_FAKE_PMU_H

#include <stdbool.h>
#include <stdint.h>

#define FAKE_COUNTERS     16u
#define FAKE_INSTRUCTIONS 20000u /* that it executes */
#define FAKE_EVENTS       7u     /* and how often it causes any other event */

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

struct fake_core {
    const char *vendor;
    uint32_t leaf_1_eax;
    struct cpuid leaf_a;
    uint32_t leaf_1a_eax, leaf_80000001_ecx;

    /* The registers that this core has. */
    uint32_t select, counter, step, global; /* global 0: none, counters need no second bit */
    unsigned counters, width;
    uint64_t selects[FAKE_COUNTERS], values[FAKE_COUNTERS], enabled;

    /* Misbehaviour. */
    unsigned refused; /* this access and all behind it fault, from 1; 0: none */
    bool stands_still;
    bool runs; /* each look at a counter moves it */

    unsigned accesses;
};
extern struct fake_core fake_core;

struct cpuid cpuid(uint32_t leaf, uint32_t subleaf);
struct cpuid cpuid_basic(uint32_t leaf, uint32_t subleaf);
struct cpuid cpuid_extended(uint32_t leaf);
uint64_t rdmsr(uint32_t msr);
void wrmsr(uint32_t msr, uint64_t value);
void fake_retire(void);

#endif

/* SPDX-License-Identifier: MIT */
/* Time is the TSC, calibrated once against a named source. */
#ifndef KERNEL_TIME_TIME_H
#define KERNEL_TIME_TIME_H

#include <stdbool.h>
#include <stdint.h>

struct time_info {
    uint64_t tsc_hz;
    const char *source;       /* "cpuid 0x15", "acpi pm timer", "hpet", "pit" */
    uint64_t spread_ppm;      /* largest deviation of the repeats from their median */
    uint64_t cross_ppm;       /* deviation of the second source, 0 if there is none */
    const char *cross_source; /* or NULL */
    bool invariant;           /* CPUID 0x80000007 EDX[8] */
    const char *doubt;        /* NULL, or why times measured here mean little */
};

struct boot_info;

/* Calibrate. Boot core, after mm_init(); takes up to 200 ms. Panics if no source works. */
void time_init(const struct boot_info *info);
const struct time_info *time_info(void);

static inline uint64_t rdtsc(void)
{
    uint32_t lo, hi;
    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi)::"memory");
    return (uint64_t)hi << 32 | lo;
}

/* Conversions, saturating; any context after time_init(). */
uint64_t time_ticks_to_ns(uint64_t ticks);
uint64_t time_ns_to_ticks(uint64_t ns);
/* Busy wait with pause. */
void time_delay_us(uint64_t us);

#endif

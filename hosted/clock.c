/* SPDX-License-Identifier: MIT */
/* The TSC, measured against CLOCK_MONOTONIC_RAW. */
#include <time.h>

#include "hosted/hosted.h"
#include "kernel/cpu/regs.h"
#include "kernel/time/time.h"
#include "smp/internal.h"

#define REPEATS     5
#define INTERVAL_NS 20000000ull

static struct time_info info = { .source = "CLOCK_MONOTONIC_RAW" };

const struct time_info *time_info(void)
{
    return &info;
}

static uint64_t monotonic_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC_RAW, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* A pair of readings that belong together: the TSC's two neighbours of the clock's are close. */
static void read_both(uint64_t *ns, uint64_t *tsc)
{
    uint64_t best = UINT64_MAX;

    for (unsigned i = 0; i < 10; i++) {
        uint64_t before = rdtsc(), now = monotonic_ns(), after = rdtsc();

        if (after - before >= best)
            continue;
        best = after - before;
        *ns = now;
        *tsc = before + best / 2;
    }
}

static uint64_t measure_hz(void)
{
    uint64_t ns, tsc, ns_end, tsc_end;

    read_both(&ns, &tsc);
    do
        read_both(&ns_end, &tsc_end);
    while (ns_end - ns < INTERVAL_NS);
    return (uint64_t)((unsigned __int128)(tsc_end - tsc) * 1000000000 / (ns_end - ns));
}

/*
 * All events of a batch are logged by the patcher (sync.c), and Linux uses the TSC as its clock
 * only where the processors' agree.
 */
uint64_t tsc_offset_skew(void)
{
    return 0;
}

void clock_init(void)
{
    uint64_t hz[REPEATS], low = UINT64_MAX, high = 0, sum = 0;

    for (unsigned i = 0; i < REPEATS; i++) {
        hz[i] = measure_hz();
        low = hz[i] < low ? hz[i] : low;
        high = hz[i] > high ? hz[i] : high;
        sum += hz[i];
    }
    info.tsc_hz = (sum - low - high) / (REPEATS - 2);
    info.spread_ppm = (high - low) * 1000000 / info.tsc_hz;
    info.doubt = limits_doubt();
    info.invariant = cpuid_extended(0x80000007).edx >> 8 & 1;
}

/* SPDX-License-Identifier: MIT */
/* Ticks and nanoseconds. */
#include "kernel/lib/atomic.h"
#include "kernel/time/time.h"

/* a * b / c without overflow of the product, saturating. c != 0. */
static uint64_t scale(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t whole = a / c, rest = a % c;

    if (whole && b > UINT64_MAX / whole)
        return UINT64_MAX;
    /* rest < c, and both c and b are frequencies below 2^34: rest * b fits. */
    uint64_t high = whole * b, low = rest * b / c;
    return high + low < high ? UINT64_MAX : high + low;
}

uint64_t time_ticks_to_ns(uint64_t ticks)
{
    return scale(ticks, 1000000000, time_info()->tsc_hz);
}

uint64_t time_ns_to_ticks(uint64_t ns)
{
    return scale(ns, time_info()->tsc_hz, 1000000000);
}

void time_delay_us(uint64_t us)
{
    uint64_t begin = rdtsc(), ticks = time_ns_to_ticks(us * 1000);

    while (rdtsc() - begin < ticks)
        cpu_relax();
}

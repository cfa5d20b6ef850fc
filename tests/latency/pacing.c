/* SPDX-License-Identifier: MIT */
#include "tests/latency/pacing.h"

#include "kernel/lib/atomic.h"
#include "kernel/time/time.h"

uint64_t paced_run(const struct pace *pace, void (*op)(void *arg), void *arg, struct hist *ns)
{
    uint64_t begin = rdtsc(), given_up = 0;

    for (uint64_t due = 0; due < pace->length; due += pace->period) {
        while (rdtsc() - begin < due)
            cpu_relax();
        if (rdtsc() - begin < 2 * pace->length)
            op(arg);
        else
            given_up++;
        hist_add(ns, time_ticks_to_ns(rdtsc() - begin - due));
    }
    return given_up;
}

/* SPDX-License-Identifier: MIT */
/* Measure the TSC against a counter of known rate. Inside kernel/time/. */
#ifndef KERNEL_TIME_CALIBRATE_H
#define KERNEL_TIME_CALIBRATE_H

#include <stdint.h>

struct reference {
    uint64_t (*read)(void); /* a counter that rises */
    uint64_t mask;          /* its width: 2^n - 1 */
    uint64_t hz;
};

/*
 * TSC ticks per second over about `ms` milliseconds of the reference, or 0 if it does not move.
 * Interrupts may be on: both clocks are read at each end in one go, the closest of a few tries.
 */
uint64_t calibrate_tsc(const struct reference *ref, unsigned ms);

#endif

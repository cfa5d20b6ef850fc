/* SPDX-License-Identifier: MIT */
/* What many values come down to: their median, with the quartiles on either side. Pure. */
#ifndef TESTS_LATENCY_SPREAD_H
#define TESTS_LATENCY_SPREAD_H

#include <stdint.h>

struct spread {
    uint64_t median, low, high; /* of rank n/2, n/4 and 3n/4, rounded up; 0 if n is 0 */
    unsigned n;
};

/* Of `n` values, which are put into rising order. */
struct spread spread_of(uint64_t *values, unsigned n);

#endif

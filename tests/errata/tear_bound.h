/* SPDX-License-Identifier: MIT */
/* What `k` of `n` says about a rate: the 95 % interval. Pure, integers only. */
#ifndef TESTS_ERRATA_TEAR_BOUND_H
#define TESTS_ERRATA_TEAR_BOUND_H

#include <stdint.h>

#define RATE_ONE 1000000000000ull /* rates are in parts of it */

struct rate {
    uint64_t low, high;
};

/*
 * 0 of n: at most 3 / n ("rule of three"). Otherwise Wilson's score interval (1927). k <= n,
 * n below 2^34; n of 0 says nothing: 0 to RATE_ONE.
 */
struct rate rate_bounds(uint64_t k, uint64_t n);

/* k / n rounded down, n > 0, k <= n. */
uint64_t rate_of(uint64_t k, uint64_t n);

#endif

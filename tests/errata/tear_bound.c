/* SPDX-License-Identifier: MIT */
#include "tests/errata/tear_bound.h"

/* The normal distribution's 97.5 % quantile, 1.96, squared; everything is in 1/10000. */
#define UNIT      10000ull
#define Z_SQUARED 38416ull

/* a * b / c; the quotient must fit. The compiler's 128-bit division is a library call. */
static uint64_t scale(uint64_t a, uint64_t b, uint64_t c)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    uint64_t high = (uint64_t)(product >> 64), low = (uint64_t)product;

    __asm__("divq %2" : "+a"(low), "+d"(high) : "r"(c) : "cc");
    return low;
}

static uint64_t square_root(uint64_t x)
{
    uint64_t root = 0;

    for (uint64_t bit = 1ull << 31; bit; bit >>= 1) {
        if ((root + bit) * (root + bit) <= x)
            root += bit;
    }
    return root;
}

uint64_t rate_of(uint64_t k, uint64_t n)
{
    return scale(k, RATE_ONE, n);
}

/*
 * (k + z^2/2 -+ z * sqrt(k (n - k) / n + z^2/4)) / (n + z^2)
 *
 * The root's argument, times z^2 * UNIT^2, is z^2 * UNIT * (UNIT * k (n - k) / n) + (z^2 UNIT)^2 /
 * 4; k (n - k) / n is at most n / 4, so it fits for every n that is allowed.
 */
struct rate rate_bounds(uint64_t k, uint64_t n)
{
    if (n == 0)
        return (struct rate){ 0, RATE_ONE };
    if (k == 0)
        return (struct rate){ 0, n <= 3 ? RATE_ONE : 3 * RATE_ONE / n };
    uint64_t variance = Z_SQUARED * scale(k, UNIT * (n - k), n) + Z_SQUARED * Z_SQUARED / 4;
    uint64_t half = square_root(variance), centre = k * UNIT + Z_SQUARED / 2;
    uint64_t all = n * UNIT + Z_SQUARED;

    return (struct rate){ half < centre ? scale(centre - half, RATE_ONE, all) : 0,
                          centre + half < all ? scale(centre + half, RATE_ONE, all) : RATE_ONE };
}

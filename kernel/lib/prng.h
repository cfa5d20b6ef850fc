/* SPDX-License-Identifier: MIT */
/* Random numbers that a seed replays: splitmix64 (Steele, Lea, Flood, OOPSLA 2014). Pure. */
#ifndef KERNEL_LIB_PRNG_H
#define KERNEL_LIB_PRNG_H

#include <stdint.h>

struct prng {
    uint64_t state;
};

static inline uint64_t prng_next(struct prng *p)
{
    uint64_t z = (p->state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

/* 0 .. n-1, n > 0; the bias of n / 2^32 does not matter here. */
static inline uint32_t prng_below(struct prng *p, uint32_t n)
{
    return (uint32_t)((prng_next(p) >> 32) * n >> 32);
}

/* An independent stream for use `which` of the same seed. */
static inline struct prng prng_stream(uint64_t seed, uint64_t which)
{
    struct prng p = { seed ^ (which * 0xd1342543de82ef95ull) };
    prng_next(&p);
    return p;
}

#endif

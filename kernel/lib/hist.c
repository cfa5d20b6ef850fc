/* SPDX-License-Identifier: MIT */
#include "kernel/lib/hist.h"

#define SUB_BUCKETS (1u << HIST_SUB_BITS)

void hist_init(struct hist *h)
{
    *h = (struct hist){ 0 };
}

unsigned hist_index(uint64_t sample)
{
    if (sample < SUB_BUCKETS)
        return (unsigned)sample;

    unsigned shift = 63 - (unsigned)__builtin_clzll(sample) - HIST_SUB_BITS;

    /* The sample's leading one, still set in sample >> shift, counts one whole power of two. */
    return (shift << HIST_SUB_BITS) + (unsigned)(sample >> shift);
}

uint64_t hist_lower(unsigned index)
{
    if (index < SUB_BUCKETS)
        return index;

    unsigned shift = (index >> HIST_SUB_BITS) - 1;

    return (uint64_t)(SUB_BUCKETS + index % SUB_BUCKETS) << shift;
}

/* A bucket stays at its maximum: a wrapped one would move every percentile. */
static void bucket_add(uint32_t *bucket, uint32_t n)
{
    if (__builtin_add_overflow(*bucket, n, bucket))
        *bucket = UINT32_MAX;
}

static void widen(struct hist *h, uint64_t min, uint64_t max)
{
    if (h->count == 0 || min < h->min)
        h->min = min;
    if (h->count == 0 || max > h->max)
        h->max = max;
}

void hist_add(struct hist *h, uint64_t sample)
{
    widen(h, sample, sample);
    h->count++;
    h->sum += sample;
    bucket_add(&h->buckets[hist_index(sample)], 1);
}

void hist_merge(struct hist *to, const struct hist *from)
{
    if (from->count == 0)
        return;
    widen(to, from->min, from->max);
    to->count += from->count;
    to->sum += from->sum;
    for (unsigned i = 0; i < HIST_BUCKETS; i++)
        bucket_add(&to->buckets[i], from->buckets[i]);
}

/* ceil(count * num / den) without the product, which may not fit. */
static uint64_t rank_of(uint64_t count, unsigned num, unsigned den)
{
    return count / den * num + (count % den * num + den - 1) / den;
}

uint64_t hist_percentile(const struct hist *h, unsigned num, unsigned den)
{
    uint64_t rank = rank_of(h->count, num, den);
    uint64_t seen = 0;

    if (h->count == 0)
        return 0;
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        seen += h->buckets[i];
        if (seen < rank)
            continue;

        /* Inclusive; the last bucket's bound wraps to the largest value, as it should. */
        uint64_t upper = hist_lower(i + 1) - 1;

        if (upper < h->min)
            return h->min;
        return upper > h->max ? h->max : upper;
    }
    return h->max; /* only if a bucket has reached its maximum */
}

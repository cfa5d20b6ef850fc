/* SPDX-License-Identifier: MIT */
/*
 * Log-linear histogram of 64-bit samples: 32 linear steps per power of two, so a percentile is
 * within 1/32 of the truth; minimum and maximum are exact. Pure, fixed size, no division when
 * adding.
 */
#ifndef KERNEL_LIB_HIST_H
#define KERNEL_LIB_HIST_H

#include <stddef.h>
#include <stdint.h>

#define HIST_SUB_BITS 5
#define HIST_BUCKETS  ((64 - HIST_SUB_BITS + 1) << HIST_SUB_BITS)

struct hist {
    uint64_t count, sum, min, max;
    uint32_t buckets[HIST_BUCKETS];
};

void hist_init(struct hist *h);
void hist_add(struct hist *h, uint64_t sample);
void hist_merge(struct hist *to, const struct hist *from);
/*
 * Smallest bucket bound that at least `num`/`den` (at most 1) of the samples do not exceed; clamped
 * to min and max. 0 if empty.
 */
uint64_t hist_percentile(const struct hist *h, unsigned num, unsigned den);
/* Index of the bucket of a sample, and the bucket's inclusive lower bound. */
unsigned hist_index(uint64_t sample);
uint64_t hist_lower(unsigned index);

#endif

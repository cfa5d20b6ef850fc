/* SPDX-License-Identifier: MIT */
#include "tests/latency/spread.h"

/* Let the value at `at` sink in the heap of the first `n` values, whose root is the largest. */
static void sink(uint64_t *values, unsigned at, unsigned n)
{
    uint64_t value = values[at];

    for (unsigned child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && values[child + 1] > values[child])
            child++;
        if (values[child] <= value)
            break;
        values[at] = values[child];
    }
    values[at] = value;
}

/* Heapsort: no recursion, no worst case, on a kernel's stack. */
static void sort(uint64_t *values, unsigned n)
{
    for (unsigned at = n / 2; at-- > 0;)
        sink(values, at, n);
    while (n-- > 1) {
        uint64_t largest = values[0];

        values[0] = values[n];
        values[n] = largest;
        sink(values, 0, n);
    }
}

static uint64_t at_quarter(const uint64_t *values, unsigned n, unsigned quarter)
{
    return values[((uint64_t)n * quarter + 3) / 4 - 1];
}

struct spread spread_of(uint64_t *values, unsigned n)
{
    if (!n)
        return (struct spread){ 0 };
    sort(values, n);
    return (struct spread){ .median = at_quarter(values, n, 2),
                            .low = at_quarter(values, n, 1),
                            .high = at_quarter(values, n, 3),
                            .n = n };
}

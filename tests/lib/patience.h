/* SPDX-License-Identifier: MIT */
/* How long a test's loop goes on. */
#ifndef TESTS_LIB_PATIENCE_H
#define TESTS_LIB_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/time/time.h"

/*
 * Shall a loop that began at TSC `begin` and is to last `ms` end? One on a slow machine that has
 * not seen enough yet gets up to five times as long. Any core, any context.
 */
static inline bool loop_is_over(uint64_t begin, unsigned ms, bool enough)
{
    uint64_t length = time_ns_to_ticks(ms * 1000000ull);

    return rdtsc() - begin >= (enough ? length : 5 * length);
}

#endif

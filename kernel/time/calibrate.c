/* SPDX-License-Identifier: MIT */
#include "kernel/time/calibrate.h"

#include "kernel/lib/atomic.h"
#include "kernel/time/time.h"

/* A dead reference is given up after this many TSC ticks: at least 0.5 s at 8 GHz. */
#define DEAD_TICKS (4000000000ull)

struct pair {
    uint64_t tsc, ref;
};

/* Both clocks at one moment: of several readings the one that was interrupted least. */
static struct pair read_pair(const struct reference *ref)
{
    struct pair best = { 0, 0 };
    uint64_t shortest = UINT64_MAX;

    for (unsigned i = 0; i < 8; i++) {
        uint64_t before = rdtsc(), value = ref->read(), after = rdtsc();
        if (after - before < shortest) {
            shortest = after - before;
            best = (struct pair){ before + (after - before) / 2, value };
        }
    }
    return best;
}

uint64_t calibrate_tsc(const struct reference *ref, unsigned ms)
{
    uint64_t wanted = ref->hz * ms / 1000;
    struct pair begin = read_pair(ref);

    while (((ref->read() - begin.ref) & ref->mask) < wanted) {
        if (rdtsc() - begin.tsc > DEAD_TICKS)
            return 0;
        cpu_relax();
    }
    struct pair end = read_pair(ref);
    uint64_t elapsed = (end.ref - begin.ref) & ref->mask;
    /* hz * ticks: below 2^64 for the milliseconds that this is used for. */
    return (end.tsc - begin.tsc) * ref->hz / elapsed;
}

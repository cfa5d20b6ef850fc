/* SPDX-License-Identifier: MIT */
#include "tests/errata/store.h"

#include "kernel/cpu/regs.h"
#include "kernel/lib/string.h"
#include "kernel/time/time.h"
#include "kernel/trap/trap.h"

#define KINDS(X)                                                                                   \
    /* function, name, bytes, alignment, pieces, locked, weak, needs */                            \
    X(mov8, "mov8", 1, 1, 1, false, false, NOTHING)                                                \
    X(mov16, "mov16", 2, 1, 1, false, false, NOTHING)                                              \
    X(mov32, "mov32", 4, 1, 1, false, false, NOTHING)                                              \
    X(mov64, "mov64", 8, 1, 1, false, false, NOTHING)                                              \
    X(xchg64, "xchg64", 8, 1, 1, true, false, NOTHING)                                             \
    X(cmpxchg16b, "lock-cmpxchg16b", 16, 16, 1, true, false, CMPXCHG16B)                           \
    X(sse128, "sse128", 16, 1, 1, false, false, SSE)                                               \
    X(avx256, "avx256", 32, 1, 1, false, false, AVX)                                               \
    X(avx512, "avx512", 64, 1, 1, false, false, AVX512)                                            \
    X(movnti64, "movnti64", 8, 1, 1, false, true, NOTHING)                                         \
    X(movdiri64, "movdiri64", 8, 1, 1, false, true, MOVDIRI)                                       \
    X(movdir64b, "movdir64b", 64, 64, 1, false, true, MOVDIR64B)                                   \
    X(rep_movsb8, "rep-movsb8", 8, 1, 8, false, false, NOTHING)                                    \
    X(rep_movsb64, "rep-movsb64", 64, 1, 64, false, false, NOTHING)                                \
    X(split_2x32, "split-2x32", 8, 1, 2, false, false, NOTHING)                                    \
    X(split_8x8, "split-8x8", 8, 1, 8, false, false, NOTHING)                                      \
    X(split_8x8_tight, "split-8x8-tight", 8, 1, 8, false, false, NOTHING)

#define X(function, ...) void store_##function(void *to, const void *from);
KINDS(X)
#undef X

const struct store_kind store_kinds[] = {
#define X(function, name_, bytes_, alignment_, pieces_, locked_, weak_, needs_)                    \
    { .name = name_,                                                                               \
      .bytes = bytes_,                                                                             \
      .alignment = alignment_,                                                                     \
      .pieces = pieces_,                                                                           \
      .locked = locked_,                                                                           \
      .weak = weak_,                                                                               \
      .needs = STORE_NEEDS_##needs_,                                                               \
      .store = store_##function },
    KINDS(X)
#undef X
};

static const char *const names[] = {
#define X(function, name, ...) name,
    KINDS(X)
#undef X
};

const unsigned store_kind_count = sizeof store_kinds / sizeof store_kinds[0];

_Static_assert(sizeof names / sizeof names[0] <= 64, "a set of kinds is one word");

const struct levels *store_levels(void)
{
    static const struct levels levels = { "store", names, sizeof names / sizeof names[0] };

    return &levels;
}

const struct store_kind *store_kind_find(const char *name)
{
    for (unsigned i = 0; i < store_kind_count; i++) {
        if (strcmp(names[i], name) == 0)
            return &store_kinds[i];
    }
    return NULL;
}

/* ---- split locks ---- */

#define SPLIT_TRIES   16u
#define SPLIT_SLOW_NS 20000u /* a bus lock takes a microsecond */

struct split_try {
    uint8_t *to;
    uint64_t fastest_ticks;
};

static void try_split_lock(void *arg)
{
    struct split_try *try = arg;
    uint64_t value = 0;

    for (unsigned i = 0; i < SPLIT_TRIES; i++) {
        uint64_t begin = rdtsc();

        store_xchg64(try->to, &value);
        uint64_t ticks = rdtsc() - begin;
        try->fastest_ticks = ticks < try->fastest_ticks ? ticks : try->fastest_ticks;
    }
}

const char *store_split_locks(void *line)
{
    struct split_try try = { (uint8_t *)line + 60, UINT64_MAX };
    struct trap_caught caught;

    if (!trap_try(try_split_lock, &try, &caught))
        return "a split lock faults here";
    if (time_ticks_to_ns(try.fastest_ticks) > SPLIT_SLOW_NS)
        return "split locks are made slow here";
    return NULL;
}

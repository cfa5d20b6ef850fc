/* SPDX-License-Identifier: MIT */
/*
 * Broken on purpose: a core that ceases to wait serialises first, and is asked only from then on.
 */
#include "smp/internal.h"

static inline void serialise(void)
{
    sync_core_in_nmi();
}

#undef compare_exchange
#define compare_exchange(word, found, wanted)                                                      \
    (serialise(), __atomic_compare_exchange_n((word), (found), (wanted), 0, __ATOMIC_SEQ_CST,      \
                                              __ATOMIC_SEQ_CST))
#define sync_core_in_nmi() ((void)0)

#include "smp/quiescent.c"

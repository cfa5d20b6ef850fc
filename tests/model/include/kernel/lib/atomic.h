/* SPDX-License-Identifier: MIT */
/*
 * kernel/lib/atomic.h as the model machine's engine sees it: the same operations, each with a
 * scheduling point before it, so that the explorer may run any other core between any two accesses
 * to a shared word. Loads that are relaxed have none: each stands directly before an access that
 * has, or after a point that the machine makes (the start of a #BP handler, machine_relax()).
 */
#ifndef MODEL_ATOMIC_H
#define MODEL_ATOMIC_H

#include_next "kernel/lib/atomic.h"

/* The core that runs is about to access `word` by `what`; others may run first. */
void model_access(const void *word, const char *what);

#undef load_acquire
#undef store_release
#undef fetch_sub
#undef compare_exchange

#define load_acquire(p) (model_access((p), "load_acquire"), __atomic_load_n((p), __ATOMIC_ACQUIRE))
#define store_release(p, v)                                                                        \
    (model_access((p), "store_release"), __atomic_store_n((p), (v), __ATOMIC_RELEASE))
#define fetch_sub(p, v)                                                                            \
    (model_access((p), "fetch_sub"), __atomic_fetch_sub((p), (v), __ATOMIC_SEQ_CST))
#define compare_exchange(p, expected, desired)                                                     \
    (model_access((p), "compare_exchange"),                                                        \
     __atomic_compare_exchange_n((p), (expected), (desired), 0, __ATOMIC_SEQ_CST,                  \
                                 __ATOMIC_SEQ_CST))

#endif

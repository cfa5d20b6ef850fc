/* SPDX-License-Identifier: MIT */
/*
 * Words shared between cores. Thin names for GCC's __atomic builtins, so that every shared access
 * names its ordering, and every use can name its pair.
 *
 * On x86-64 loads and stores of up to 8 aligned bytes are single-copy atomic, a load is an acquire
 * and a store a release; only a store followed by a load of another word may be reordered
 * (SDM vol 3A, "Memory Ordering"), for which full_barrier() or a locked operation is needed.
 */
#ifndef KERNEL_LIB_ATOMIC_H
#define KERNEL_LIB_ATOMIC_H

#include <stdint.h>

#define load_relaxed(p)     __atomic_load_n((p), __ATOMIC_RELAXED)
#define load_acquire(p)     __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define store_relaxed(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)

/* Full barriers, all of them: LOCK-prefixed or XCHG. Return the old value. */
#define fetch_add(p, v) __atomic_fetch_add((p), (v), __ATOMIC_SEQ_CST)
#define fetch_sub(p, v) __atomic_fetch_sub((p), (v), __ATOMIC_SEQ_CST)
#define fetch_or(p, v)  __atomic_fetch_or((p), (v), __ATOMIC_SEQ_CST)
#define exchange(p, v)  __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)

/* True if *p was *expected and is now desired; else *expected is what was found. Full barrier. */
#define compare_exchange(p, expected, desired)                                                     \
    __atomic_compare_exchange_n((p), (expected), (desired), 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

#define full_barrier()     __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define compiler_barrier() __asm__ volatile("" ::: "memory")

/* A hint in every spin loop. Under single-threaded TCG it hands over to the next core at once. */
static inline void cpu_relax(void)
{
    __asm__ volatile("pause" ::: "memory");
}

/* One cache line on every x86-64 part; false sharing is avoided at this grain. */
#define CACHE_LINE 64

#endif

/* SPDX-License-Identifier: MIT */
/*
 * kernel/lib/atomic.h as the window's host test sees it: after each store to a page table the
 * simulated cores may have walked it.
 */
#ifndef WINDOW_ATOMIC_H
#define WINDOW_ATOMIC_H

#include_next "kernel/lib/atomic.h"

#include "tests/host/mmu.h"

#undef store_relaxed
#define store_relaxed(p, v) (__atomic_store_n((p), (v), __ATOMIC_RELAXED), mmu_speculate())

#endif

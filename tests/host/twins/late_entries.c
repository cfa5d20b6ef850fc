/* SPDX-License-Identifier: MIT */
/* Broken on purpose: the translations are dropped while the entries still stand. */
#include "kernel/cpu/regs.h"
#include "kernel/lib/atomic.h"

static void invalidate(uint64_t virt)
{
    invlpg(virt);
}

#undef invlpg
#define invlpg(virt) ((void)(virt))

/* At the beginning of machine_window_close(), whose variable `w` is. */
#undef compiler_barrier
#define compiler_barrier()                                                                         \
    for (unsigned page = 0; mode == WINDOW_PCID_NO_FLUSH && page < w->pages; page++)               \
    invalidate(base + page * PAGE_SIZE)

#include "kernel/mm/window.c"

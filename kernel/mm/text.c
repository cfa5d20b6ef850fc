/* SPDX-License-Identifier: MIT */
/*
 * Patchable text: pages that hold code made at run time, and the kernel's own but what patching
 * itself runs through. Nothing but text_poke's window ever maps either writable.
 *
 * The frames come from a pool that loses its writable mapping before any other core runs, so that
 * no core can keep a writable translation of what is later executed.
 */
#include "kernel/lib/string.h"
#include "kernel/mm/tables.h"
#include "poke/machine.h"

#define POOL_PAGES_MAX 2048
#define POOL_SHARE     8 /* at most this part of the arena */

static uint64_t pool_next, pool_end;
static uint64_t next = MM_TEXT_BASE;

bool text_pool_init(void)
{
    uint64_t pages = pages_free_count() / POOL_SHARE;

    if (pages > POOL_PAGES_MAX)
        pages = POOL_PAGES_MAX;
    pool_next = pages_alloc(pages);
    if (!pool_next)
        return false;
    pool_end = pool_next + pages * PAGE_SIZE;
    memset(table_at(pool_next), 0xcc, pages * PAGE_SIZE);
    return mm_protect(MM_DIRECT_BASE + pool_next, pages, MM_R);
}

uint64_t mm_text_alloc(size_t pages)
{
    uint64_t phys = pool_next, virt = next;

    if (pages == 0 || pages > (pool_end - pool_next) / PAGE_SIZE)
        return 0;
    /*
     * Neighbours in the address space are never neighbours in memory (the frames run downwards), so
     * that a write across a page boundary that treats them as such goes wrong and is noticed.
     */
    for (size_t i = 0; i < pages; i++) {
        if (!mm_map(virt + i * PAGE_SIZE, phys + (pages - 1 - i) * PAGE_SIZE, 1, MM_X))
            return 0;
    }
    pool_next += pages * PAGE_SIZE;
    next += pages * PAGE_SIZE;
    return virt;
}

/* The part of the image that may be patched (linker.ld). */
extern const char text_patchable[], text_end[];

static inline bool lies_in(uintptr_t addr, size_t len, uintptr_t begin, uintptr_t end)
{
    return addr >= begin && addr < end && len <= end - addr;
}

bool machine_is_patchable(uintptr_t addr, size_t len)
{
    return lies_in(addr, len, MM_TEXT_BASE, next) ||
           lies_in(addr, len, (uintptr_t)text_patchable, (uintptr_t)text_end);
}

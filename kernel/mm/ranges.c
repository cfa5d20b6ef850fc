/* SPDX-License-Identifier: MIT */
#include "kernel/mm/ranges.h"

#define PAGE      4096ull
#define PAGE_MASK (PAGE - 1)

bool range_pages(const struct boot_range *r, uint64_t limit, uint64_t *from, uint64_t *to)
{
    if (r->base >= limit)
        return false;
    uint64_t most = (limit - r->base) / PAGE; /* whole pages that fit below it */
    uint64_t pages = r->pages < most ? r->pages : most;

    *from = (r->base + PAGE_MASK) & ~PAGE_MASK;
    *to = (r->base + pages * PAGE) & ~PAGE_MASK;
    return *from < *to;
}

/* Does the range touch the page at all? Pages are counted from a base that need not be aligned. */
static bool touches(const struct boot_range *r, uint64_t phys)
{
    if (r->pages == 0)
        return false;
    if (r->base >= phys)
        return r->base - phys < PAGE;
    return (phys - r->base) / PAGE < r->pages;
}

bool ranges_allow_reading(const struct boot_range *ranges, uint32_t count, uint64_t phys)
{
    bool is_memory = false;

    for (uint32_t i = 0; i < count; i++) {
        if (!touches(&ranges[i], phys))
            continue;
        if (ranges[i].kind == BOOT_MEM_MMIO)
            return false;
        is_memory = true;
    }
    return is_memory;
}

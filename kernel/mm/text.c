/* SPDX-License-Identifier: MIT */
/* Patchable text: pages that hold code made at run time. Nothing but text_poke's window ever maps
 * them writable. */
#include "kernel/lib/string.h"
#include "kernel/mm/tables.h"
#include "poke/machine.h"

static uint64_t next = MM_TEXT_BASE;

uint64_t text_end_address(void)
{
    return next;
}

uint64_t mm_text_alloc(size_t pages)
{
    uint64_t phys = pages_alloc(pages), virt = next;

    if (!phys)
        return 0;
    memset(phys_to_virt(phys), 0xcc, pages * PAGE_SIZE);
    if (!mm_protect(MM_DIRECT_BASE + phys, pages, MM_R))
        return 0;
    /*
     * Neighbours in the address space are never neighbours in memory (the frames run downwards), so
     * that a write across a page boundary that treats them as such goes wrong and is noticed.
     */
    for (size_t i = 0; i < pages; i++) {
        if (!mm_map(virt + i * PAGE_SIZE, phys + (pages - 1 - i) * PAGE_SIZE, 1, MM_X))
            return 0;
    }
    next += pages * PAGE_SIZE;
    return virt;
}

bool machine_is_patchable(uintptr_t addr, size_t len)
{
    return addr >= MM_TEXT_BASE && addr < next && len <= next - addr;
}

/* SPDX-License-Identifier: MIT */
/*
 * Stacks. Each lies at the top of its own slot of the address space, so that the page below it is
 * never mapped: an overflow faults (and, with no stack left to push the fault's frame, becomes a
 * #DF on its own stack).
 */
#include "kernel/mm/stacks.h"

#include "kernel/mm/tables.h"

#define SLOT_BYTES 0x20000ull

extern const char kernel_boot_stack[], kernel_boot_stack_top[];

static uint64_t slots_used;

uint64_t mm_stack_alloc(size_t bytes)
{
    uint64_t pages = (bytes + PAGE_SIZE - 1) / PAGE_SIZE;
    uint64_t top = MM_STACK_BASE + (slots_used + 1) * SLOT_BYTES;
    uint64_t phys;

    if (pages * PAGE_SIZE > SLOT_BYTES - PAGE_SIZE || !(phys = pages_alloc(pages)))
        return 0;
    if (!mm_map(top - pages * PAGE_SIZE, phys, pages, MM_W))
        return 0;
    slots_used++;
    return top;
}

bool mm_is_stack(uint64_t addr, size_t len)
{
    if (addr >= (uint64_t)kernel_boot_stack && addr + len <= (uint64_t)kernel_boot_stack_top)
        return true;
    if (addr < MM_STACK_BASE || addr + len > MM_STACK_BASE + slots_used * SLOT_BYTES)
        return false;
    return mm_leaf(addr) && mm_leaf(addr + len - 1);
}

uint64_t stacks_without_guard(void)
{
    uint64_t missing = mm_leaf((uint64_t)kernel_boot_stack - PAGE_SIZE) ? 1 : 0;

    for (uint64_t i = 0; i < slots_used; i++) {
        uint64_t bottom = MM_STACK_BASE + (i + 1) * SLOT_BYTES;
        while (bottom > MM_STACK_BASE + i * SLOT_BYTES && mm_leaf(bottom - PAGE_SIZE))
            bottom -= PAGE_SIZE;
        if (bottom == MM_STACK_BASE + i * SLOT_BYTES)
            missing++;
    }
    return missing;
}

/* SPDX-License-Identifier: MIT */
/* Physical pages: a bump allocator over the loader's arena. Nothing is ever given back. */
#include "kernel/lib/string.h"
#include "kernel/mm/tables.h"

static uint64_t next, end;

void pages_init(uint64_t phys, uint64_t bytes)
{
    next = phys;
    end = phys + bytes;
}

uint64_t pages_alloc(size_t n)
{
    uint64_t phys = next;

    if (n == 0 || n > (end - next) / PAGE_SIZE)
        return 0;
    next += n * PAGE_SIZE;
    memset(table_at(phys), 0, n * PAGE_SIZE);
    return phys;
}

void *pages_alloc_virt(size_t n)
{
    uint64_t phys = pages_alloc(n);

    return phys ? phys_to_virt(phys) : NULL;
}

uint64_t pages_free_count(void)
{
    return (end - next) / PAGE_SIZE;
}

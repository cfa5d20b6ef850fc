/* SPDX-License-Identifier: MIT */
#include "boot/bootstrap_tables.h"

#include "boot/boot_info.h"

#define PAGE       0x1000ull
#define LARGE_PAGE 0x200000ull
#define IDENTITY   0x100000000ull
#define ENTRIES    512

/* Entries of page tables (SDM vol. 3, 4.5). */
#define PTE_PRESENT 0x1ull
#define PTE_WRITE   0x2ull
#define PTE_LARGE   0x80ull
#define PTE_NX      (1ull << 63)
#define PTE_ADDRESS 0x000ffffffffff000ull

struct tables {
    uint64_t root;
    uint64_t next; /* free page of the pool */
};

static uint64_t *table_of(uint64_t entry)
{
    return (uint64_t *)(entry & PTE_ADDRESS);
}

static uint64_t new_table(struct tables *t)
{
    uint64_t table = t->next;
    t->next += PAGE;
    /* The leaves alone decide: a table never forbids. */
    return table | PTE_PRESENT | PTE_WRITE;
}

/* Replace a 2 MiB leaf by a table of 4 KiB leaves that map the same. */
static void split(struct tables *t, uint64_t *entry)
{
    uint64_t leaf = *entry & ~PTE_LARGE;

    *entry = new_table(t);
    for (unsigned i = 0; i < ENTRIES; i++)
        table_of(*entry)[i] = leaf + i * PAGE;
}

/* The entry for `virt` at `level` (1: 4 KiB leaf, 2: 2 MiB leaf), with all tables above it. */
static uint64_t *entry_at(struct tables *t, uint64_t virt, unsigned level)
{
    uint64_t table = t->root;

    for (unsigned l = 4;; l--) {
        uint64_t *entry = &table_of(table)[virt >> (12 + 9 * (l - 1)) & (ENTRIES - 1)];
        if (l == level)
            return entry;
        if (!(*entry & PTE_PRESENT))
            *entry = new_table(t);
        else if (*entry & PTE_LARGE)
            split(t, entry);
        table = *entry;
    }
}

static void map_identity(struct tables *t)
{
    for (uint64_t at = 0; at < IDENTITY; at += LARGE_PAGE)
        *entry_at(t, at, 2) = at | PTE_PRESENT | PTE_WRITE | PTE_LARGE | PTE_NX;
}

static void map_segment(struct tables *t, const struct elf_segment *s, uint64_t kernel_phys)
{
    uint64_t flags = PTE_PRESENT;

    if (s->flags & ELF_W)
        flags |= PTE_WRITE;
    if (!(s->flags & ELF_X))
        flags |= PTE_NX;
    for (uint64_t at = s->offset; at < s->offset + s->bytes; at += PAGE)
        *entry_at(t, BOOT_KERNEL_BASE + at, 1) = (kernel_phys + at) | flags;
}

uint64_t bootstrap_tables_build(uint64_t pool, const struct elf_image *image, uint64_t kernel_phys,
                                uint64_t stub_phys, bool five_levels)
{
    struct tables t = { .root = pool, .next = pool + PAGE };

    map_identity(&t);
    *entry_at(&t, stub_phys, 1) = stub_phys | PTE_PRESENT;
    for (unsigned i = 0; i < image->count; i++)
        map_segment(&t, &image->segments[i], kernel_phys);
    if (!five_levels)
        return t.root;
    /* First and last slot lead to the same fourth level: as far as it reaches, nothing changes. */
    uint64_t top = new_table(&t);
    table_of(top)[0] = table_of(top)[ENTRIES - 1] = t.root | PTE_PRESENT | PTE_WRITE;
    return top & PTE_ADDRESS;
}

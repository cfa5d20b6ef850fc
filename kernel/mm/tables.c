/* SPDX-License-Identifier: MIT */
#include "kernel/mm/tables.h"

#include "kernel/cpu/regs.h"
#include "kernel/lib/atomic.h"

static bool direct_map_ready;

uint64_t *table_at(uint64_t phys)
{
    return direct_map_ready ? phys_to_virt(phys) : (uint64_t *)phys;
}

void tables_use_direct_map(void)
{
    direct_map_ready = true;
}

uint64_t tables_cr3(uint64_t root)
{
    if (!(read_cr4() & CR4_LA57))
        return root;

    uint64_t top = pages_alloc(1);
    if (top)
        table_at(top)[0] = table_at(top)[ROOT_SLOTS - 1] = root | PTE_P | PTE_W | PTE_A;
    return top;
}

uint64_t leaf_flags(uint64_t virt, enum mm_prot prot)
{
    /* Accessed and dirty are preset: the processor never has to write a table. */
    uint64_t flags = PTE_P | PTE_A | PTE_D;

    if (prot & MM_W)
        flags |= PTE_W;
    if (!(prot & MM_X))
        flags |= PTE_NX;
    if (prot & MM_UNCACHED)
        flags |= PTE_PCD | PTE_PWT;
    if (prot & MM_WRITE_COMBINING)
        flags |= PTE_PAT;
    if (virt >> 63)
        flags |= PTE_G;
    return flags;
}

static unsigned slot(uint64_t virt, unsigned level)
{
    return virt >> (12 + 9 * level) & 511;
}

uint64_t *leaf_find(uint64_t root, uint64_t virt, uint64_t *span)
{
    uint64_t table = root;

    for (int level = 3;; level--) {
        uint64_t *entry = &table_at(table)[slot(virt, (unsigned)level)];
        if (!(*entry & PTE_P))
            return NULL;
        if (level == 0 || (*entry & PTE_LARGE)) {
            *span = PAGE_SIZE << (9 * level);
            return entry;
        }
        table = *entry & PTE_ADDR;
    }
}

/* The entry for `virt` at `level`, with the tables above it made. */
static uint64_t *entry_make(uint64_t root, uint64_t virt, unsigned level)
{
    uint64_t table = root;

    for (unsigned l = 3; l > level; l--) {
        uint64_t *entry = &table_at(table)[slot(virt, l)];
        if (!(*entry & PTE_P)) {
            uint64_t lower = pages_alloc(1);
            if (!lower)
                return NULL;
            *entry = lower | PTE_P | PTE_W | PTE_A; /* the leaf decides */
        } else if (*entry & PTE_LARGE) {
            return NULL;
        }
        table = *entry & PTE_ADDR;
    }
    return &table_at(table)[slot(virt, level)];
}

uint64_t *leaf_make(uint64_t root, uint64_t virt)
{
    return entry_make(root, virt, 0);
}

uint64_t *large_make(uint64_t root, uint64_t virt)
{
    uint64_t *entry = entry_make(root, virt, 1);

    return entry && (*entry & PTE_P) ? NULL : entry;
}

bool large_split(uint64_t *entry)
{
    uint64_t table = pages_alloc(1);

    if (!table)
        return false;
    uint64_t old = *entry;
    for (unsigned i = 0; i < 512; i++)
        table_at(table)[i] = (old & ~PTE_LARGE) + i * PAGE_SIZE;
    /* The table is filled before another core's walk can find it. */
    store_release(entry, table | PTE_P | PTE_W | PTE_A);
    return true;
}

bool tables_map(uint64_t root, uint64_t virt, uint64_t phys, size_t pages, enum mm_prot prot)
{
    if ((prot & MM_W) && (prot & MM_X))
        return false;
    for (size_t i = 0; i < pages; i++) {
        uint64_t v = virt + i * PAGE_SIZE;
        uint64_t *leaf = leaf_make(root, v);
        if (!leaf || (*leaf & PTE_P))
            return false;
        *leaf = (phys + i * PAGE_SIZE) | leaf_flags(v, prot);
    }
    return true;
}

/* ---- the kernel's root ---- */

bool mm_map(uint64_t virt, uint64_t phys, size_t pages, enum mm_prot prot)
{
    /* The root slots of the kernel half are fixed: other roots have copies of them. */
    if (virt >> 63 && !(table_at(mm_root())[slot(virt, 3)] & PTE_P))
        return false;
    return tables_map(mm_root(), virt, phys, pages, prot);
}

bool mm_map_large(uint64_t virt, uint64_t phys, enum mm_prot prot)
{
    bool wx = (prot & MM_W) && (prot & MM_X);

    if (wx || (prot & MM_WRITE_COMBINING) || virt % LARGE_PAGE || phys % LARGE_PAGE ||
        !(table_at(mm_root())[slot(virt, 3)] & PTE_P))
        return false;
    uint64_t *entry = large_make(mm_root(), virt);
    if (!entry)
        return false;
    *entry = phys | leaf_flags(virt, prot) | PTE_LARGE;
    return true;
}

/* INVLPG drops what the window's PCID may hold of the kernel's half too: all of that is global. */
void mm_unmap(uint64_t virt, size_t pages)
{
    for (size_t i = 0; i < pages; i++) {
        uint64_t span, v = virt + i * PAGE_SIZE;
        uint64_t *leaf = leaf_find(mm_root(), v, &span);
        if (leaf && span == PAGE_SIZE)
            *leaf = 0;
        invlpg(v);
    }
}

bool mm_protect(uint64_t virt, size_t pages, enum mm_prot prot)
{
    if ((prot & MM_W) && (prot & MM_X))
        return false;
    for (size_t i = 0; i < pages; i++) {
        uint64_t span, v = virt + i * PAGE_SIZE;
        uint64_t *leaf = leaf_find(mm_root(), v, &span);
        if (leaf && span == LARGE_PAGE) {
            if (!large_split(leaf))
                return false;
            leaf = leaf_find(mm_root(), v, &span);
        }
        if (!leaf || span != PAGE_SIZE)
            return false;
        *leaf = (*leaf & PTE_ADDR) | leaf_flags(v, prot);
        invlpg(v);
    }
    return true;
}

uint64_t mm_leaf(uint64_t virt)
{
    uint64_t span;
    const uint64_t *leaf = leaf_find(mm_root(), virt, &span);

    return leaf ? *leaf : 0;
}

uint64_t mm_translate(uint64_t virt)
{
    uint64_t span;
    const uint64_t *leaf = leaf_find(mm_root(), virt, &span);

    return leaf ? (*leaf & PTE_ADDR & ~(span - 1)) + (virt & (span - 1)) : UINT64_MAX;
}

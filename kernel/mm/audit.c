/* SPDX-License-Identifier: MIT */
/*
 * Proof of W^X: walk every table of every root and compare physical addresses, so that an alias
 * cannot hide. Executable pages are collected first, then every writable leaf is looked up among
 * them.
 */
#include "kernel/lib/string.h"
#include "kernel/mm/stacks.h"
#include "kernel/mm/tables.h"

#define EXEC_PAGES_MAX 16384

struct exec_page {
    uint64_t phys, virt;
};

static struct exec_page *exec_pages; /* ascending by phys after sort_exec_pages() */
static size_t exec_count;

typedef void (*leaf_visit)(struct mm_audit *a, uint64_t virt, uint64_t entry, uint64_t span);

static void violation(struct mm_audit *a, uint64_t virt, uint64_t alias)
{
    if (a->violations++ == 0) {
        a->bad_virt = virt;
        a->bad_alias = alias;
    }
}

/* `first`: slot to begin with, so that the kernel half of a second root is not walked twice. */
static void walk(struct mm_audit *a, uint64_t table, int level, uint64_t virt, unsigned slots,
                 leaf_visit visit)
{
    for (unsigned i = 0; i < slots; i++) {
        uint64_t entry = table_at(table)[i];
        uint64_t v = virt + ((uint64_t)i << (12 + 9 * level));
        if (!(entry & PTE_P))
            continue;
        if (level == 3 && i >= KERNEL_HALF)
            v |= 0xffffull << 48;
        if (level == 0 || (entry & PTE_LARGE))
            visit(a, v, entry, PAGE_SIZE << (9 * level));
        else
            walk(a, entry & PTE_ADDR, level - 1, v, ROOT_SLOTS, visit);
    }
}

static void walk_roots(struct mm_audit *a, leaf_visit visit)
{
    walk(a, mm_root(), 3, 0, ROOT_SLOTS, visit);
    walk(a, window_root(), 3, 0, KERNEL_HALF, visit); /* its kernel half is the same tables */
}

static void collect_executable(struct mm_audit *a, uint64_t virt, uint64_t entry, uint64_t span)
{
    a->leaves++;
    if (entry & PTE_NX)
        return;
    if (entry & PTE_W)
        violation(a, virt, virt);
    for (uint64_t off = 0; off < span; off += PAGE_SIZE) {
        a->executable++;
        if (exec_count == EXEC_PAGES_MAX) {
            violation(a, virt, 0); /* more than can be proven: no silent pass */
            return;
        }
        exec_pages[exec_count++] = (struct exec_page){
            .phys = (entry & PTE_ADDR & ~(span - 1)) + off,
            .virt = virt + off,
        };
    }
}

/* Shell sort: no recursion, no allocation, a few thousand entries. */
static void sort_exec_pages(void)
{
    for (size_t gap = exec_count / 2; gap > 0; gap /= 2) {
        for (size_t i = gap; i < exec_count; i++) {
            struct exec_page page = exec_pages[i];
            size_t j = i;
            for (; j >= gap && exec_pages[j - gap].phys > page.phys; j -= gap)
                exec_pages[j] = exec_pages[j - gap];
            exec_pages[j] = page;
        }
    }
}

/* The first executable page at or above `phys`, or exec_count. */
static size_t first_at_or_above(uint64_t phys)
{
    size_t low = 0, high = exec_count;

    while (low < high) {
        size_t mid = (low + high) / 2;
        if (exec_pages[mid].phys < phys)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void check_writable(struct mm_audit *a, uint64_t virt, uint64_t entry, uint64_t span)
{
    if (!(entry & PTE_W))
        return;
    a->writable++;
    uint64_t phys = entry & PTE_ADDR & ~(span - 1);
    for (size_t i = first_at_or_above(phys); i < exec_count && exec_pages[i].phys < phys + span;
         i++)
        violation(a, exec_pages[i].virt, virt + (exec_pages[i].phys - phys));
}

bool mm_audit(struct mm_audit *out)
{
    memset(out, 0, sizeof *out);
    if (!exec_pages)
        exec_pages = pages_alloc_virt(EXEC_PAGES_MAX * sizeof *exec_pages / PAGE_SIZE);
    if (!exec_pages) {
        violation(out, 0, 0);
        return false;
    }
    exec_count = 0;
    walk_roots(out, collect_executable);
    sort_exec_pages();
    walk_roots(out, check_writable);
    if (memcmp(table_at(mm_root()) + KERNEL_HALF, table_at(window_root()) + KERNEL_HALF,
               (ROOT_SLOTS - KERNEL_HALF) * sizeof(uint64_t)) != 0)
        violation(out, mm_window_base(), 0); /* the window's kernel half is not the walked one */
    out->guards_missing = stacks_without_guard();
    return out->violations == 0 && out->guards_missing == 0;
}

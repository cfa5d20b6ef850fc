/* SPDX-License-Identifier: MIT */
/*
 * Broken on purpose, as Linux was until 2019 (text_poke() by fixmap): the window is in the tables
 * of every core, writable text for all while it is open, and for longer in their TLBs.
 */
#include "poke/machine.h"

#define machine_window_open open_window
bool open_window(struct machine_window *w, const uintptr_t *pages, unsigned n);
#include "kernel/mm/window.c"
#undef machine_window_open

/* The entry under `root` that names the window's page table. */
static uint64_t *pde_of(uint64_t root)
{
    uint64_t *pdpt = table_at(table_at(root)[base >> 39 & 511] & PTE_ADDR);

    return table_at(pdpt[base >> 30 & 511] & PTE_ADDR) + (base >> 21 & 511);
}

bool machine_window_open(struct machine_window *w, const uintptr_t *pages, unsigned n)
{
    static bool shared;

    if (!shared && leaf_make(mm_root(), base))
        *pde_of(mm_root()) = *pde_of(private_root);
    shared = true;
    return open_window(w, pages, n);
}

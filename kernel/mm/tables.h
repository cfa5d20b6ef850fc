/* SPDX-License-Identifier: MIT */
/*
 * Page tables (SDM vol 3A, "4-Level Paging"): entries and walks. Inside kernel/mm/ only.
 *
 * A root is always a table of the fourth level. Where the firmware hands over 5-level paging, which
 * cannot be left in 64-bit mode, one table more lies above it, whose first and last slot both lead
 * to the root: so each address that is canonical with four levels has the same translation, and no
 * walk need know. The root's halves then show once more in the hole between them, with the same
 * rights.
 */
#ifndef KERNEL_MM_TABLES_H
#define KERNEL_MM_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/mm/mm.h"

#define PTE_P     (1ull << 0)
#define PTE_W     (1ull << 1)
#define PTE_PWT   (1ull << 3)
#define PTE_PCD   (1ull << 4)
#define PTE_A     (1ull << 5)
#define PTE_D     (1ull << 6)
#define PTE_LARGE (1ull << 7) /* in a PDPTE or PDE */
#define PTE_PAT   (1ull << 7) /* in a PTE: with PCD and PWT clear, entry 4 of the PAT */
#define PTE_G     (1ull << 8)
#define PTE_NX    (1ull << 63)
#define PTE_ADDR  0x000ffffffffff000ull

#define LARGE_PAGE  (2ull << 20)
#define ROOT_SLOTS  512
#define KERNEL_HALF 256 /* first root slot of the upper half */

/*
 * A table's memory. Before mm_init() has switched roots tables are reached at their identity
 * address.
 */
uint64_t *table_at(uint64_t phys);
void tables_use_direct_map(void);

/* What CR3 has to hold for `root`: itself, or a fifth level that is made now. 0: no memory. */
uint64_t tables_cr3(uint64_t root);

/*
 * Leaf flags of a protection: present, accessed and dirty preset, global in the upper half. With
 * MM_WRITE_COMBINING for 4 KiB pages only.
 */
uint64_t leaf_flags(uint64_t virt, enum mm_prot prot);

/*
 * The leaf entry that maps `virt` under `root`, or NULL. `span`: bytes that it maps (4 KiB, 2 MiB,
 * 1 GiB).
 */
uint64_t *leaf_find(uint64_t root, uint64_t virt, uint64_t *span);

/*
 * The 4 KiB entry for `virt` under `root`, with tables made where they are missing. NULL if memory
 * is short or a large page is in the way.
 */
uint64_t *leaf_make(uint64_t root, uint64_t virt);

/* The same for the 2 MiB entry. NULL also if 4 KiB pages are in the way. */
uint64_t *large_make(uint64_t root, uint64_t virt);

/*
 * Replace a 2 MiB entry by a table of 4 KiB entries with the same rights. False if memory is short.
 */
bool large_split(uint64_t *entry);

/* Map pages under any root; see mm_map(). */
bool tables_map(uint64_t root, uint64_t virt, uint64_t phys, size_t pages, enum mm_prot prot);

/* ---- who lives where; set up by mm_init(), read by the audit ---- */

void pages_init(uint64_t phys, uint64_t bytes);
void window_init(uint64_t kernel_root);
uint64_t window_root(void);
/* Set the frames of patchable text aside, read-only, before any other core runs. */
bool text_pool_init(void);

#endif

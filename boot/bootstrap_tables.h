/* SPDX-License-Identifier: MIT */
/*
 * The page tables that the kernel starts on; boot_info.h says what they map. Pure but for the
 * pool's address.
 */
#ifndef BOOT_BOOTSTRAP_TABLES_H
#define BOOT_BOOTSTRAP_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "boot/elf.h"

/*
 * Pages that the tables take at most: the root and one above it; one directory pointer table and
 * four directories for 4 GiB; three tables for a stub anywhere; for the kernel a pointer table, a
 * directory and a table per 2 MiB.
 */
#define BOOTSTRAP_TABLE_PAGES (2 + 5 + 3 + 2 + ELF_IMAGE_MAX / 0x200000)

/*
 * Build the tables in `pool` (BOOTSTRAP_TABLE_PAGES zeroed pages, mapped 1:1, below 4 GiB) for the
 * kernel of `image`, loaded at kernel_phys, and the page of the switch stub; `five_levels`: for
 * 5-level paging. Returns the root for CR3.
 */
uint64_t bootstrap_tables_build(uint64_t pool, const struct elf_image *image, uint64_t kernel_phys,
                                uint64_t stub_phys, bool five_levels);

#endif

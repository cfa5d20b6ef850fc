/* SPDX-License-Identifier: MIT */
/* The memory that the kernel gets. */
#ifndef BOOT_MEMORY_H
#define BOOT_MEMORY_H

struct boot_info;

/*
 * The block that everything else is entered in, with magic and size set. Ends the loader if memory
 * is short.
 */
struct boot_info *memory_boot_info(void);

/*
 * Arena, text buffers and the pages for starting the other cores. Ends the loader if there is not
 * even the smallest arena; without low memory info->low_phys stays 0, and the kernel runs on one
 * core.
 */
void memory_reserve(struct boot_info *info);

#endif

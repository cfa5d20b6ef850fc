/* SPDX-License-Identifier: MIT */
#ifndef BOOT_MEMORY_MAP_H
#define BOOT_MEMORY_MAP_H

struct boot_info;

/* Translate the firmware's memory map to info->ranges. Call it after all other allocations. */
void memory_map_collect(struct boot_info *info);

#endif

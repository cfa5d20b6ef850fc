/* SPDX-License-Identifier: MIT */
/*
 * The firmware's memory map, read with care: real ones are unsorted, overlap themselves, repeat
 * entries, and hold empty ones and such that leave the address space. Pure.
 */
#ifndef KERNEL_MM_RANGES_H
#define KERNEL_MM_RANGES_H

#include <stdbool.h>
#include <stdint.h>

#include "boot/boot_info.h"

/*
 * The whole pages of `r` below `limit` (page aligned): [*from, *to). False if there are none.
 */
bool range_pages(const struct boot_range *r, uint64_t limit, uint64_t *from, uint64_t *to);

/*
 * May the page at `phys` (page aligned) be read as memory? One of the ranges has to say that it is
 * memory, reserved or not, and none that it is a device.
 */
bool ranges_allow_reading(const struct boot_range *ranges, uint32_t count, uint64_t phys);

#endif

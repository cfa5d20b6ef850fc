/* SPDX-License-Identifier: MIT */
/* Where a core is: the RBP chain, checked at every step, with names from the image's own table. */
#ifndef KERNEL_TRAP_BACKTRACE_H
#define KERNEL_TRAP_BACKTRACE_H

#include <stddef.h>
#include <stdint.h>

#define BACKTRACE_MAX 24

/*
 * Collect return addresses from `rbp` upwards, `rip` first. Stops at the first frame that is not
 * aligned, not on a mapped kernel stack or not above the last. Any context, takes no fault. Returns
 * how many.
 */
unsigned backtrace_collect(uint64_t rip, uint64_t rbp, uint64_t out[static BACKTRACE_MAX]);

/* "name+0x12" or "0xffff..." into out. */
void backtrace_symbol(uint64_t address, char *out, size_t size);

/* Print as "BT 0x... name+0x12" lines to the TAP stream, as comments. */
void backtrace_print(const uint64_t *addresses, unsigned count);

#endif

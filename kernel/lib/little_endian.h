/* SPDX-License-Identifier: MIT */
/* Numbers inside tables of bytes, aligned or not. Pure. */
#ifndef KERNEL_LIB_LITTLE_ENDIAN_H
#define KERNEL_LIB_LITTLE_ENDIAN_H

#include <stdint.h>

/* The `bytes` (1 to 8) bytes at `at` as an unsigned number, least significant first. */
static inline uint64_t read_le(const uint8_t *at, unsigned bytes)
{
    uint64_t value = 0;

    while (bytes--)
        value = value << 8 | at[bytes];
    return value;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Copy and compare the 1 to 6 bytes of an instruction, in two accesses at most, which may overlap:
 * for memory that nobody executes. A batch does it for each of its sites in each step.
 */
#ifndef POKE_BYTES_H
#define POKE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint32_t poke_u32 __attribute__((aligned(1), may_alias));
typedef uint16_t poke_u16 __attribute__((aligned(1), may_alias));

static inline void poke_copy(uint8_t *to, const uint8_t *from, size_t len)
{
    if (len >= 4) {
        *(poke_u32 *)to = *(const poke_u32 *)from;
        *(poke_u16 *)(to + len - 2) = *(const poke_u16 *)(from + len - 2);
    } else {
        for (size_t i = 0; i < len; i++)
            to[i] = from[i];
    }
}

/* `text` is read now, not when the compiler last knew what it holds. */
static inline bool poke_same(const volatile uint8_t *text, const uint8_t *bytes, size_t len)
{
    if (len >= 4)
        return *(const volatile poke_u32 *)text == *(const poke_u32 *)bytes &&
               *(const volatile poke_u16 *)(text + len - 2) == *(const poke_u16 *)(bytes + len - 2);
    for (size_t i = 0; i < len; i++)
        if (text[i] != bytes[i])
            return false;
    return true;
}

#endif

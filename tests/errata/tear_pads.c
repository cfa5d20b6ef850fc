/* SPDX-License-Identifier: MIT */
#include "tests/errata/tear_pads.h"

/* -192 and +128: their low bytes differ, and above are only ones, only zeros. */
#define OLD_DISPLACEMENT 0xffffff40u
#define NEW_DISPLACEMENT 0x00000080u

uint32_t pads_displacement(unsigned mask)
{
    uint32_t displacement = 0;

    for (unsigned i = 0; i < PADS_BYTES; i++) {
        uint32_t from = mask >> i & 1 ? NEW_DISPLACEMENT : OLD_DISPLACEMENT;

        displacement |= from & 0xffu << 8 * i;
    }
    return displacement;
}

unsigned pads_mask(uint32_t displacement)
{
    unsigned mask = 0;

    while (mask < PADS_MASKS && pads_displacement(mask) != displacement)
        mask++;
    return mask;
}

bool pads_is_near(unsigned mask)
{
    return (mask >> 3 & 1) == (mask >> 2 & 1);
}

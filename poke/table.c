/* SPDX-License-Identifier: MIT */
#include "poke/table.h"

struct poke_table poke_table;

const struct poke_entry *poke_table_at_or_below(uintptr_t addr)
{
    unsigned low = 0;
    unsigned high = poke_table.count;

    /* entries[0 .. low) begin at or below addr, entries[high ..) above it. */
    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (poke_table.entries[middle].addr <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? &poke_table.entries[low - 1] : NULL;
}

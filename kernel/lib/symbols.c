/* SPDX-License-Identifier: MIT */
#include "kernel/lib/symbols.h"

#include <stddef.h>

const char *symbol_lookup(const struct symbol_table *t, uint64_t address, uint64_t *offset)
{
    uint32_t low = 0,
             high = t->count; /* offsets below `low` are <= the address, from `high` above */

    if (address < t->base)
        return NULL;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (t->offsets[middle] <= address - t->base)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NULL;
    *offset = address - t->base - t->offsets[low - 1];
    return t->text + t->names[low - 1];
}

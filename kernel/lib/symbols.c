/* SPDX-License-Identifier: MIT */
#include "kernel/lib/symbols.h"

#include <stddef.h>

bool symbol_find(const struct symbol_table *t, uint64_t address, uint32_t *symbol)
{
    uint32_t low = 0,
             high = t->count; /* offsets below `low` are <= the address, from `high` above */

    if (address < t->base)
        return false;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (t->offsets[middle] <= address - t->base)
            low = middle + 1;
        else
            high = middle;
    }
    *symbol = low - 1;
    return low > 0;
}

uint64_t symbol_address(const struct symbol_table *t, uint32_t symbol)
{
    return t->base + t->offsets[symbol];
}

const char *symbol_name(const struct symbol_table *t, uint32_t symbol)
{
    return t->text + t->names[symbol];
}

const char *symbol_lookup(const struct symbol_table *t, uint64_t address, uint64_t *offset)
{
    uint32_t symbol;

    if (!symbol_find(t, address, &symbol))
        return NULL;
    *offset = address - symbol_address(t, symbol);
    return symbol_name(t, symbol);
}

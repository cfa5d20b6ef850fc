/* SPDX-License-Identifier: MIT */
#include "poke/table.h"

struct poke_table poke_tables[POKE_TABLES];
struct poke_table *poke_table = poke_tables;

const struct poke_entry *poke_table_at_or_below(const struct poke_table *table, uintptr_t addr)
{
    const struct poke_entry *found = table->entries;
    unsigned rest = table->count;

    if (!rest || found->addr > addr)
        return NULL;
    /* Among the `rest` entries from `found` on, which itself lies at or below. */
    while (rest > 1) {
        unsigned half = rest / 2;

        if (found[half].addr <= addr)
            found += half;
        rest -= half;
    }
    return found;
}

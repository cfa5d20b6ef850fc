/* SPDX-License-Identifier: MIT */
/* Broken on purpose: the search of the table does not look at the last of several entries. */
#include "poke/table.h"

#define poke_table_at_or_below search
const struct poke_entry *search(const struct poke_table *table, uintptr_t addr);
#include "poke/table.c"
#undef poke_table_at_or_below

const struct poke_entry *poke_table_at_or_below(const struct poke_table *table, uintptr_t addr)
{
    const struct poke_entry *found = search(table, addr);
    unsigned count = table->count;

    return count > 1 && found == &table->entries[count - 1] ? found - 1 : found;
}

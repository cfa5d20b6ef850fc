/* SPDX-License-Identifier: MIT */
/*
 * The table of sites that a batch changes. The patcher fills it under text_mutex while it is not
 * published; from publish to retire it is constant, and the #BP handlers of all cores read it
 * (poke/int3_handler.c has the order). Mirrors Linux `text_poke_array`.
 */
#ifndef POKE_TABLE_H
#define POKE_TABLE_H

#include "poke/insn.h"

struct poke_entry {
    uintptr_t addr;
    struct poke_insn emulate; /* what the INT3 stands for */
    uint32_t at;              /* where it shows in the window; the patcher's */
    uint8_t len;
    uint8_t text[TEXT_POKE_MAX_OPCODE_SIZE]; /* the new bytes */
};

struct poke_table {
    unsigned count;
    bool published;                                 /* the patcher's */
    struct poke_entry entries[TEXT_POKE_ARRAY_MAX]; /* ascending, disjoint */
};

/*
 * Two, so that a batch can begin while the one before it still needs its table: the last sync of
 * that one is the first of this one (POKE_STEP_SYNC_LATE). refs[] of poke_core has one word for
 * each.
 */
extern struct poke_table poke_tables[POKE_TABLES];

/* The one that is filled, and runs. Switched by the patcher under text_mutex, between batches. */
extern struct poke_table *poke_table;

static inline struct poke_table *poke_table_other(void)
{
    return &poke_tables[poke_table == poke_tables];
}

/* The last entry that begins at or below `addr`, or NULL. Any context that may read the table. */
const struct poke_entry *poke_table_at_or_below(const struct poke_table *table, uintptr_t addr);

/* Let the handlers of all cores read the table: before the first INT3 is stored. text_mutex. */
void poke_table_publish(struct poke_table *table);

/*
 * Take it back and wait until no handler reads it any more: after the sync that followed the last
 * store, so that no INT3 of the table can still be met. No-op if not published. text_mutex.
 */
void poke_table_retire(struct poke_table *table);

#endif

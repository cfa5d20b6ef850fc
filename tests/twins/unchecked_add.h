/* SPDX-License-Identifier: MIT */
/*
 * For the twins of poke/batch.c: the file with smp_text_poke_batch_add() renamed, and an append
 * that skips its check of order, by showing it an empty table.
 */
#include "poke/table.h"

#define smp_text_poke_batch_add checked_add
enum poke_error checked_add(void *addr, const void *opcode, size_t len, const void *emulate,
                            bool *flushed);
#include "poke/batch.c"
#undef smp_text_poke_batch_add

static enum poke_error unchecked_add(void *addr, const void *opcode, size_t len,
                                     const void *emulate)
{
    unsigned count = poke_table->count;
    struct poke_entry first = poke_table->entries[0];

    poke_table->count = 0;

    enum poke_error e = checked_add(addr, opcode, len, emulate, NULL);

    if (!e && count) {
        poke_table->entries[count] = poke_table->entries[0];
        poke_table->entries[0] = first;
    }
    poke_table->count += count;
    return e;
}

/* SPDX-License-Identifier: MIT */
/*
 * Broken on purpose: unless the table is full, batch_add appends wherever the site lies; the table
 * need not be ascending.
 */
#include "tests/twins/unchecked_add.h"

enum poke_error smp_text_poke_batch_add(void *addr, const void *opcode, size_t len,
                                        const void *emulate, bool *flushed)
{
    if (poke_table->count == TEXT_POKE_ARRAY_MAX)
        return checked_add(addr, opcode, len, emulate, flushed);
    if (flushed)
        *flushed = false;
    return unchecked_add(addr, opcode, len, emulate);
}

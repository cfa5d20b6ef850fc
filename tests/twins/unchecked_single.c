/* SPDX-License-Identifier: MIT */
/*
 * Broken on purpose, as Linux was in 2025 until 2aebf5ee43bf: a single poke appends to the shared
 * table without the check of order that batch_add makes, behind what another patcher has queued.
 */
#include "poke/poke.h"

#define smp_text_poke_single checked_single
enum poke_error checked_single(void *addr, const void *opcode, size_t len, const void *emulate);
#include "tests/twins/unchecked_add.h"
#undef smp_text_poke_single

enum poke_error smp_text_poke_batch_add(void *addr, const void *opcode, size_t len,
                                        const void *emulate, bool *flushed)
{
    return checked_add(addr, opcode, len, emulate, flushed);
}

enum poke_error smp_text_poke_single(void *addr, const void *opcode, size_t len,
                                     const void *emulate)
{
    enum poke_error e = unchecked_add(addr, opcode, len, emulate);

    return e ? e : smp_text_poke_batch_finish();
}

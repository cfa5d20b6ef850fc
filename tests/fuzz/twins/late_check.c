/* SPDX-License-Identifier: MIT */
/* Broken on purpose: a site that will be refused has flushed the batch already. */
#include "poke/poke.h"

#define smp_text_poke_batch_add checked_add
enum poke_error checked_add(void *addr, const void *opcode, size_t len, const void *emulate,
                            bool *flushed);
#include "poke/batch.c"
#undef smp_text_poke_batch_add

enum poke_error smp_text_poke_batch_add(void *addr, const void *opcode, size_t len,
                                        const void *emulate, bool *flushed)
{
    bool flush = text_mutex_held() && must_flush((uintptr_t)addr);
    enum poke_error e = flush ? smp_text_poke_batch_finish() : POKE_OK;

    if (!e)
        e = checked_add(addr, opcode, len, emulate, flushed);
    if (flushed)
        *flushed |= flush;
    return e;
}

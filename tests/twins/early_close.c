/* SPDX-License-Identifier: MIT */
/*
 * Broken on purpose: a batch that was left open is retired when the next one's INT3s are stored,
 * not when they have been synchronised, which its own last stores wait for too.
 */
#include "poke/log.h"
#include "poke/protocol.h"

static uint64_t close_and_sync(uint64_t begin)
{
    if (poke_open_batch.table) {
        poke_table_retire(poke_open_batch.table);
        poke_log_event(POKE_EV_RETIRE, poke_open_batch.batch);
        poke_open_batch.table = NULL;
    }
    return poke_sync(begin);
}

#define poke_sync close_and_sync
#include "poke/protocol.c"

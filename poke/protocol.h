/* SPDX-License-Identifier: MIT */
#ifndef POKE_PROTOCOL_H
#define POKE_PROTOCOL_H

#include "poke/poke.h"
#include "poke/table.h"

/*
 * Take the sites of poke_table through the steps of `row`, and fill *timing. `batch` names the
 * run in the event log. Under text_mutex, interrupts on. Stops at the first error, whatever step
 * that is, and says so: POKE_E_ADDRESS, POKE_E_READBACK; a table that is published then stays so.
 *
 * With `another_follows` it ends before SYNC_LATE, if the row has that: the batch is left open, its
 * table published. The next sync, of whatever, closes it.
 */
enum poke_error poke_run_protocol(const struct poke_protocol *row, uint64_t batch,
                                  bool another_follows, struct poke_timing *timing);

/* The batch that is open; its table is NULL if none is. Under text_mutex. */
struct poke_open_batch {
    struct poke_table *table;
    uint64_t batch;
};
extern struct poke_open_batch poke_open_batch;

/* Sync and retire for it, if there is one. Under text_mutex. */
void poke_close_batch(void);

/*
 * The same, with the check of its order. A batch is open inside one stretch under text_mutex and
 * only while batches are all that happens: whoever unlocks, writes text or synchronises by itself
 * settles first. Under text_mutex.
 */
void poke_settle_batch(void);

/*
 * smp_text_poke_sync_each_cpu() inside a batch: `begin` is machine_now() from just before it, and
 * the result one from after it. Under text_mutex.
 */
uint64_t poke_sync(uint64_t begin);

#endif

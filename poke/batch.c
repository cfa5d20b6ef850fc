/* SPDX-License-Identifier: MIT */
/* The public calls that collect sites and run a protocol on them. All state is under text_mutex. */
#include "poke/bytes.h"
#include "poke/counters.h"
#include "poke/lock.h"
#include "poke/order_check.h"
#include "poke/protocol.h"
#include "poke/table.h"

static const struct poke_protocol *protocol = &poke_int3;
static struct poke_timing last_timing;

/* Why patching has ended: a batch failed half way. Its table stays published, hence constant. */
static enum poke_error halted;

__attribute__((noinline)) void poke_settle_batch(void)
{
    struct poke_open_batch open = poke_open_batch;

    poke_close_batch();
    if (open.table)
        poke_order_check_finish(open.table, open.batch);
}

/* Run the batch. With `another_follows` its last sync may be left to the next one. */
static __attribute__((noinline)) enum poke_error finish(bool another_follows)
{
    struct poke_open_batch before = poke_open_batch; /* its last sync is this one's first */
    uint64_t batch = poke_count.batches + 1;
    uint64_t stores = poke_count.stores;

    if (halted)
        return halted;

    poke_order_check_begin(poke_table);
    enum poke_error e = poke_run_protocol(protocol, batch, another_follows, &last_timing);

    if (e && poke_count.stores != stores) {
        halted = e;
        return e;
    }
    if (e)
        poke_close_batch(); /* it did not come to a sync */
    if (before.table)
        poke_order_check_finish(before.table, before.batch);
    if (!e) {
        poke_count.batches++;
        poke_count.sites += poke_table->count;
    }
    if (poke_open_batch.table) {
        poke_table = poke_table_other();
    } else {
        if (!e)
            poke_order_check_finish(poke_table, batch);
        poke_table_retire(poke_table); /* of a row that stopped before its RETIRE, or has none */
    }
    poke_table->count = 0;
    return e;
}

enum poke_error smp_text_poke_batch_finish(void)
{
    if (!text_mutex_held())
        return POKE_E_LOCK;
    return poke_table->count ? finish(false) : halted;
}

/* Does a site of `table` overlap [addr, addr + len)? */
static bool overlaps(const struct poke_table *table, uintptr_t addr, size_t len)
{
    const struct poke_entry *entry = poke_table_at_or_below(table, addr + len - 1);

    return entry && entry->addr + entry->len > addr;
}

/* Must the pending batch run before a site at `addr` can be added? */
static bool must_flush(uintptr_t addr)
{
    if (!poke_table->count)
        return false;

    const struct poke_entry *last = &poke_table->entries[poke_table->count - 1];

    return poke_table->count == TEXT_POKE_ARRAY_MAX || addr < last->addr + last->len;
}

__attribute__((flatten)) enum poke_error smp_text_poke_batch_add(void *addr, const void *opcode,
                                                                 size_t len, const void *emulate,
                                                                 bool *flushed)
{
    uintptr_t at = (uintptr_t)addr;
    struct poke_insn stands_for;
    enum poke_error e;

    if (flushed)
        *flushed = false;
    if (!text_mutex_held())
        return POKE_E_LOCK;
    if (halted)
        return halted;
    e = poke_insn_decode(at, emulate ? emulate : opcode, len, &stands_for);
    if (e)
        return e;
    if (!machine_is_patchable(at, len))
        return POKE_E_ADDRESS;

    if (must_flush(at)) {
        if (flushed)
            *flushed = true;
        poke_count.flushes++;
        e = finish(!overlaps(poke_table, at, len));
        if (e)
            return e;
    }
    if (poke_open_batch.table && overlaps(poke_open_batch.table, at, len))
        poke_settle_batch();

    struct poke_entry *entry = &poke_table->entries[poke_table->count++];

    entry->addr = at;
    entry->emulate = stands_for;
    entry->len = (uint8_t)len;
    poke_copy(entry->text, opcode, len);
    return POKE_OK;
}

__attribute__((flatten)) enum poke_error smp_text_poke_single(void *addr, const void *opcode,
                                                              size_t len, const void *emulate)
{
    enum poke_error e = smp_text_poke_batch_add(addr, opcode, len, emulate, NULL);

    return e ? e : smp_text_poke_batch_finish();
}

enum poke_error poke_select_protocol(const struct poke_protocol *row)
{
    if (!text_mutex_held())
        return POKE_E_LOCK;
    if (poke_table->count)
        return POKE_E_PENDING;
    protocol = row ? row : &poke_int3;
    return POKE_OK;
}

const struct poke_timing *poke_last_timing(void)
{
    return &last_timing;
}

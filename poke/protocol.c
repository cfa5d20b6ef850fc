/* SPDX-License-Identifier: MIT */
#include "poke/protocol.h"

#include "poke/bytes.h"
#include "poke/log.h"
#include "poke/table.h"
#include "poke/window.h"

/* What a step stores to one entry: `len` bytes from its byte `offset` on; nothing if `len` is 0. */
struct part {
    unsigned offset, len;
    const uint8_t *bytes;
};

static inline struct part part_of(const struct poke_entry *entry, enum poke_step step)
{
    static const uint8_t int3 = INT3_INSN_OPCODE;

    switch (step) {
    case POKE_STEP_INT3:
        return (struct part){ 0, 1, &int3 };
    case POKE_STEP_TAIL:
        return (struct part){ 1, entry->len - 1u, entry->text + 1 };
    case POKE_STEP_FIRST: /* an INT3 stands there already, and its owner may be using it */
        return (struct part){ 0, entry->text[0] != INT3_INSN_OPCODE, entry->text };
    case POKE_STEP_ECHO:
        return (struct part){ entry->len - 1u, 1, entry->text + entry->len - 1 };
    default:
        return (struct part){ 0, entry->len, entry->text };
    }
}

/* What the batch has to store at all. */
struct survey {
    bool tails, firsts;
};

/* Once per batch: show all its text in the window, for every step of it. */
static struct survey survey_table(void)
{
    struct poke_entry *end = poke_table->entries + poke_table->count;
    struct survey found = { false, false };

    text_window_clear();
    for (struct poke_entry *e = poke_table->entries; e < end; e++) {
        e->at = text_window_cover(e->addr, e->len);
        found.tails |= part_of(e, POKE_STEP_TAIL).len != 0;
        found.firsts |= part_of(e, POKE_STEP_FIRST).len != 0;
    }
    return found;
}

static inline __attribute__((always_inline)) void store_part(struct text_window *w,
                                                             const struct poke_entry *e,
                                                             const struct part *part,
                                                             enum poke_step step)
{
    uintptr_t addr = e->addr + part->offset;
    uint32_t at = e->at + part->offset;

    if (step != POKE_STEP_BYTES) {
        text_window_store(w, addr, at, part->bytes, part->len);
        return;
    }
    for (unsigned i = 0; i < part->len; i++) {
        text_window_store(w, addr + i, at + i, part->bytes + i, 1);
        machine_relax(); /* on an emulator that takes turns, the other cores' turn */
    }
}

/* `step` is a constant where this is inlined. */
static inline __attribute__((always_inline)) enum poke_error store_entries(enum poke_step step,
                                                                           uint64_t now)
{
    const struct poke_entry *end = poke_table->entries + poke_table->count;
    struct text_window w;
    bool stored = true;

    if (!text_window_open(&w, now))
        return POKE_E_ADDRESS;
    for (const struct poke_entry *e = poke_table->entries; e < end; e++) {
        struct part part = part_of(e, step);

        if (!part.len)
            continue;
        store_part(&w, e, &part, step);
        /* Read back by the address that is executed, not by the window's. */
        stored &= poke_same((const uint8_t *)e->addr + part.offset, part.bytes, part.len);
    }
    text_window_close(&w);
    return stored ? POKE_OK : POKE_E_READBACK;
}

/* Store one step of all entries through one opening of the window, and read it back. */
static enum poke_error store_step(enum poke_step step, uint64_t now)
{
    switch (step) {
    case POKE_STEP_INT3:
        return store_entries(POKE_STEP_INT3, now);
    case POKE_STEP_TAIL:
        return store_entries(POKE_STEP_TAIL, now);
    case POKE_STEP_FIRST:
        return store_entries(POKE_STEP_FIRST, now);
    default:
        return store_entries(step, now);
    }
}

/* The phase of a step, and of the sync that follows it. */
static const struct {
    const char *doing, *syncing;
} phases[] = {
    [POKE_STEP_PUBLISH] = { "text_poke: publish", "text_poke: sync after publish" },
    [POKE_STEP_INT3] = { "text_poke: store INT3", "text_poke: sync after INT3" },
    [POKE_STEP_TAIL] = { "text_poke: store tails", "text_poke: sync after tails" },
    [POKE_STEP_FIRST] = { "text_poke: store first bytes", "text_poke: sync after first bytes" },
    [POKE_STEP_BYTES] = { "text_poke: store bytes", "text_poke: sync after bytes" },
    [POKE_STEP_RETIRE] = { "text_poke: retire", "text_poke: sync after retire" },
    [POKE_STEP_ECHO] = { "text_poke: echo", "text_poke: sync after echo" },
};

struct poke_open_batch poke_open_batch;

static void retire(struct poke_table *table, uint64_t batch, struct poke_log *log, uint64_t now)
{
    poke_table_retire(table);
    poke_log_at(log, now, POKE_EV_RETIRE, batch);
}

/* One round of sync; it is the last one of a batch that was left open too. */
static uint64_t sync_all(struct poke_log *log, uint64_t now)
{
    now = poke_sync(now);
    if (poke_open_batch.table) {
        retire(poke_open_batch.table, poke_open_batch.batch, log, now);
        poke_open_batch.table = NULL;
    }
    return now;
}

void poke_close_batch(void)
{
    if (!poke_open_batch.table)
        return;
    machine_phase("text_poke: sync after a batch that was left open");
    sync_all(machine_this_poke_core()->log, machine_now());
    machine_phase(NULL);
}

__attribute__((flatten, noinline)) enum poke_error
poke_run_protocol(const struct poke_protocol *row, uint64_t batch, bool another_follows,
                  struct poke_timing *timing)
{
    struct poke_log *log = machine_this_poke_core()->log;
    enum poke_error error = POKE_OK;
    enum poke_step before = POKE_STEP_PUBLISH; /* the last step that was no sync */
    bool needed = true;                        /* or had it nothing to store? */
    struct survey survey = survey_table();
    uint64_t now = machine_now();
    unsigned i;

    timing->begin = now;
    timing->sites = poke_table->count;
    for (i = 0; i < POKE_STEPS_MAX && row->steps[i] != POKE_STEP_END && !error; i++) {
        enum poke_step step = row->steps[i];

        timing->end[i] = 0;
        if (step == POKE_STEP_SYNC_LATE) {
            if (another_follows && needed && !poke_open_batch.table) {
                poke_open_batch = (struct poke_open_batch){ poke_table, batch };
                break;
            }
            step = POKE_STEP_SYNC;
        }
        if (step != POKE_STEP_SYNC) {
            before = step;
            needed = (step != POKE_STEP_TAIL || survey.tails) &&
                     (step != POKE_STEP_FIRST || survey.firsts);
        }
        if (!needed)
            continue; /* a sync would make nothing visible */

        switch (step) {
        case POKE_STEP_SYNC:
            machine_phase(phases[before].syncing);
            now = sync_all(log, now);
            break;
        case POKE_STEP_PUBLISH:
            machine_phase(phases[step].doing);
            poke_table_publish(poke_table);
            poke_log_at(log, now, POKE_EV_PUBLISH, batch);
            now = machine_now();
            break;
        case POKE_STEP_RETIRE:
            machine_phase(phases[step].doing);
            retire(poke_table, batch, log, now);
            now = machine_now();
            break;
        default:
            machine_phase(phases[step].doing);
            error = store_step(step, now);
            now = machine_now();
        }
        timing->end[i] = now;
    }
    timing->steps = i;
    machine_phase(NULL);
    return error;
}

/* SPDX-License-Identifier: MIT */
#include "poke/protocol.h"

#include "kernel/lib/string.h"
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
    struct survey found = { false, false };

    text_window_clear();
    for (unsigned i = 0; i < poke_table.count; i++) {
        struct poke_entry *e = &poke_table.entries[i];

        e->at = text_window_cover(e->addr, e->len);
        found.tails |= part_of(e, POKE_STEP_TAIL).len != 0;
        found.firsts |= part_of(e, POKE_STEP_FIRST).len != 0;
    }
    return found;
}

static void store_part(const struct poke_entry *e, const struct part *part, enum poke_step step)
{
    uintptr_t addr = e->addr + part->offset;
    uint32_t at = e->at + part->offset;

    if (step != POKE_STEP_BYTES) {
        text_window_store(addr, at, part->bytes, part->len);
        return;
    }
    for (unsigned i = 0; i < part->len; i++) {
        text_window_store(addr + i, at + i, part->bytes + i, 1);
        machine_relax(); /* on an emulator that takes turns, the other cores' turn */
    }
}

/* Does the text hold it? By the address that is executed, not by the window's. */
static inline bool is_stored(const struct poke_entry *e, const struct part *part)
{
    const volatile uint8_t *text = (const volatile uint8_t *)e->addr + part->offset;

    for (unsigned i = 0; i < part->len; i++)
        if (text[i] != part->bytes[i])
            return false;
    return true;
}

/* `step` is a constant where this is inlined. */
static inline __attribute__((always_inline)) bool store_entries(enum poke_step step)
{
    const struct poke_entry *end = poke_table.entries + poke_table.count;
    bool stored = true;

    for (const struct poke_entry *e = poke_table.entries; e < end; e++) {
        struct part part = part_of(e, step);

        if (!part.len)
            continue;
        store_part(e, &part, step);
        stored &= is_stored(e, &part);
    }
    return stored;
}

/* Store one step of all entries through one opening of the window, and read it back. */
static enum poke_error store_step(enum poke_step step)
{
    bool stored;

    if (!text_window_open())
        return POKE_E_ADDRESS;
    switch (step) {
    case POKE_STEP_INT3:
        stored = store_entries(POKE_STEP_INT3);
        break;
    case POKE_STEP_TAIL:
        stored = store_entries(POKE_STEP_TAIL);
        break;
    case POKE_STEP_FIRST:
        stored = store_entries(POKE_STEP_FIRST);
        break;
    default:
        stored = store_entries(step);
    }
    text_window_close();
    return stored ? POKE_OK : POKE_E_READBACK;
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

enum poke_error poke_run_protocol(const struct poke_protocol *row, uint64_t batch,
                                  struct poke_timing *timing)
{
    enum poke_error error = POKE_OK;
    enum poke_step before = POKE_STEP_PUBLISH; /* the last step that was no sync */
    bool needed = true;                        /* or had it nothing to store? */
    struct survey survey = survey_table();

    *timing = (struct poke_timing){ .begin = machine_now(), .sites = poke_table.count };
    for (unsigned i = 0; i < POKE_STEPS_MAX && row->steps[i] != POKE_STEP_END && !error; i++) {
        enum poke_step step = row->steps[i];

        timing->steps = i + 1;
        if (step == POKE_STEP_SYNC) {
            if (!needed)
                continue; /* it would make nothing visible */
            machine_phase(phases[before].syncing);
            smp_text_poke_sync_each_cpu();
            timing->end[i] = machine_now();
            continue;
        }

        before = step;
        needed =
            (step != POKE_STEP_TAIL || survey.tails) && (step != POKE_STEP_FIRST || survey.firsts);
        if (!needed)
            continue;
        machine_phase(phases[step].doing);
        switch (step) {
        case POKE_STEP_PUBLISH:
            poke_table_publish();
            poke_log_event(POKE_EV_PUBLISH, batch);
            break;
        case POKE_STEP_RETIRE:
            poke_table_retire();
            poke_log_event(POKE_EV_RETIRE, batch);
            break;
        default:
            error = store_step(step);
        }
        timing->end[i] = machine_now();
    }
    machine_phase(NULL);
    return error;
}

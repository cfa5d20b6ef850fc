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

static struct part part_of(const struct poke_entry *entry, enum poke_step step)
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

static void store_part(uintptr_t addr, const struct part *part, enum poke_step step)
{
    if (step != POKE_STEP_BYTES) {
        text_window_store(addr, part->bytes, part->len);
        return;
    }
    for (unsigned i = 0; i < part->len; i++) {
        text_window_store(addr + i, part->bytes + i, 1);
        machine_relax(); /* on an emulator that takes turns, the other cores' turn */
    }
}

/* Store one step of all entries through one opening of the window, and read it back. */
static enum poke_error store_step(enum poke_step step, bool *stored)
{
    const struct poke_entry *end = poke_table.entries + poke_table.count;

    *stored = false;
    text_window_clear();
    for (const struct poke_entry *e = poke_table.entries; e < end; e++) {
        struct part part = part_of(e, step);

        if (!part.len)
            continue;
        text_window_cover(e->addr + part.offset, part.len);
        *stored = true;
    }
    if (!*stored)
        return POKE_OK;

    if (!text_window_open())
        return POKE_E_ADDRESS;
    for (const struct poke_entry *e = poke_table.entries; e < end; e++) {
        struct part part = part_of(e, step);

        if (part.len)
            store_part(e->addr + part.offset, &part, step);
    }
    text_window_close();

    for (const struct poke_entry *e = poke_table.entries; e < end; e++) {
        struct part part = part_of(e, step);

        if (memcmp((const void *)(e->addr + part.offset), part.bytes, part.len))
            return POKE_E_READBACK;
    }
    return POKE_OK;
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
    bool stored = true;                        /* did it store, or has it nothing to store? */

    *timing = (struct poke_timing){ .begin = machine_now(), .sites = poke_table.count };
    for (unsigned i = 0; i < POKE_STEPS_MAX && row->steps[i] != POKE_STEP_END && !error; i++) {
        enum poke_step step = row->steps[i];

        timing->steps = i + 1;
        if (step == POKE_STEP_SYNC) {
            if (!stored)
                continue; /* it would make nothing visible */
            machine_phase(phases[before].syncing);
            smp_text_poke_sync_each_cpu();
            timing->end[i] = machine_now();
            continue;
        }

        machine_phase(phases[step].doing);
        before = step;
        stored = true;
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
            error = store_step(step, &stored);
        }
        if (stored)
            timing->end[i] = machine_now();
    }
    machine_phase(NULL);
    return error;
}

/* SPDX-License-Identifier: MIT */
/*
 * Broken on purpose, as Linux was until 2022 (efd608fa7403, "Fix race in try_get_desc"): what
 * handlers count in is a descriptor in the stack frame of the function that runs the batch. A
 * handler that has read the pointer may count in a frame that is gone. The array stands for the
 * patcher's stack; giving the frame back overwrites it, as the next call on a stack does.
 */
#include "poke/core_local.h"
#include "poke/emulate.h"
#include "poke/table.h"

struct descriptor {
    uint32_t refs;
};

static struct descriptor stack[POKE_TABLES]; /* a frame for each table */
static struct descriptor *published[POKE_TABLES];

void poke_table_publish(struct poke_table *table)
{
    unsigned i = (unsigned)(table - poke_tables);

    stack[i].refs = 1;
    store_release(&published[i], &stack[i]);
}

void poke_table_retire(struct poke_table *table)
{
    unsigned i = (unsigned)(table - poke_tables);

    if (!published[i])
        return;
    store_release(&published[i], NULL);
    fetch_sub(&stack[i].refs, 1);
    while (load_acquire(&stack[i].refs))
        machine_relax();
    stack[i].refs = 0x5a5a5a5a;
}

static bool get(struct descriptor *d)
{
    uint32_t seen = load_relaxed(&d->refs);

    do {
        if (!seen)
            return false;
    } while (!compare_exchange(&d->refs, &seen, seen + 1));
    return true;
}

bool smp_text_poke_int3_handler(struct poke_regs *regs)
{
    struct poke_core *core = machine_this_poke_core();
    uintptr_t addr = regs->ip - INT3_INSN_SIZE;
    bool ours = false;

    for (unsigned i = 0; i < POKE_TABLES && !ours; i++) {
        struct descriptor *d = load_acquire(&published[i]);

        if (!d || !get(d))
            continue;
        const struct poke_entry *entry = poke_table_at_or_below(&poke_tables[i], addr);

        ours = entry && entry->addr == addr && poke_emulate(regs, &entry->emulate);
        fetch_sub(&d->refs, 1);
    }
    core_local_inc(ours ? &core->int3_hits : &core->int3_foreign);
    return ours;
}

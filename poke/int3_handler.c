/* SPDX-License-Identifier: MIT */
/*
 * The trap side of the breakpoint protocol, and the life of the table that it reads.
 *
 * Shared words:
 *
 *   poke_tables[]  The patcher writes one while every core's refs of it are 0; handlers read it
 *                  while they hold a reference. Never both.
 *   refs           Of each core and table. The patcher stores 1 (publish) and subtracts 1 (retire);
 *                  handlers of that core add 1 unless it is 0, and subtract it again.
 *   byte 0 of a    The patcher stores it through the window; every core fetches it.
 *   site
 *
 * Publish. The table is written, then refs[] (release), then a full barrier, then the first INT3.
 * A core that takes #BP has fetched that INT3, so the stores before it are visible to the loads
 * that follow the trap: x86 makes one core's stores visible in order, and the exception is
 * delivered before the handler's first load. The handler's locked increment is the full barrier
 * on its side; it pairs with the full barrier in publish. So whoever met an INT3 of the table
 * finds refs not 0, and having read it, finds the table complete (pairs with the release of refs).
 *
 * Retire. The patcher subtracts its 1 with a full barrier. A handler that increments afterwards
 * finds 0 and stays out. One that got in earlier is waited for: its reads of the table precede its
 * locked decrement, which pairs with the acquire load in the wait. Only then is the table written
 * again. The wait is for INT3s that are not of the table: a breakpoint of another owner enters
 * here too, at any time, and no sync excludes it. (Linux 2022: a descriptor that was reused while
 * such a handler read it.)
 *
 * Why no INT3 of the table is met after retire. #BP runs with interrupts off, from the trap to
 * the IRET; so does an NMI handler, and a handler nested in it. The acknowledgement of the sync
 * that follows the last store is given in an interrupt, hence not before every handler on that core
 * has ended, however deep it is nested and however late it ran; and after its serialising
 * instruction that core fetches the new first byte. So a trap from an INT3 of this table is always
 * looked up while the table is published, even if the byte in memory has meanwhile become another:
 * the handler decides by address and never looks at the text again.
 *
 * A core that no sync asked was offline (machine.h): it left in thread context, so no handler lay
 * below, and executes nothing patchable, in NMIs neither, until it has serialised on its way back,
 * after the last store of every sync that did not ask it. Its refs are set like all others', so
 * that an INT3 that it meets then is known.
 *
 * Two tables. When batches follow one another, the sync after the INT3s of the second is also the
 * one after the last store of the first, whose table stays published until then. What is argued
 * above of a table holds for each by itself: each has its own refs, and its own INT3s, since the
 * second batch has no site of the first (batch.c sees to it). A handler that finds nothing in one
 * table looks into the other.
 *
 * Nesting (NMI inside the handler) counts refs up and down once more and is correct at every
 * instruction: there is no state but refs and registers. The hit counters are single instructions
 * on this core's line.
 *
 * Nothing here may itself contain a patchable site, or be traced or probed: it would recurse. The
 * machine keeps this file's text out of machine_is_patchable().
 */
#include "poke/core_local.h"
#include "poke/counters.h"
#include "poke/emulate.h"
#include "poke/table.h"

static unsigned index_of(const struct poke_table *table)
{
    return (unsigned)(table - poke_tables);
}

void poke_table_publish(struct poke_table *table)
{
    for (unsigned core = 0; core < machine_cores(); core++)
        store_release(&machine_poke_core(core)->refs[index_of(table)], 1);
    full_barrier(); /* refs before the INT3s; pairs with the increment in table_get() */
    table->published = true;
}

void poke_table_retire(struct poke_table *table)
{
    if (!table->published)
        return;
    for (unsigned core = 0; core < machine_cores(); core++) {
        uint32_t *refs = &machine_poke_core(core)->refs[index_of(table)];

        if (fetch_sub(refs, 1) == 1)
            continue;
        poke_count.retire_waits++;
        while (load_acquire(refs)) /* pairs with the decrement in table_put() */
            machine_relax();
    }
    table->published = false;
}

/* May this core read the table? If so it holds a reference. */
static bool table_get(uint32_t *refs)
{
    uint32_t seen = load_relaxed(refs);

    while (seen) {
        if (compare_exchange(refs, &seen, seen + 1)) /* pairs with publish, see above */
            return true;
    }
    return false;
}

static void table_put(uint32_t *refs)
{
    fetch_sub(refs, 1); /* full barrier: pairs with the wait in poke_table_retire() */
}

/* Is the INT3 at `addr` one of the table's? Then execute what it stands for. */
static inline bool emulate_of(struct poke_core *core, unsigned index, uintptr_t addr,
                              struct poke_regs *regs)
{
    const struct poke_entry *entry;
    bool ours;

    if (!table_get(&core->refs[index]))
        return false;
    entry = poke_table_at_or_below(&poke_tables[index], addr);
    ours = entry && entry->addr == addr && poke_emulate(regs, &entry->emulate);
    table_put(&core->refs[index]);
    return ours;
}

__attribute__((flatten)) bool smp_text_poke_int3_handler(struct poke_regs *regs)
{
    struct poke_core *core = machine_this_poke_core();
    uintptr_t addr = regs->ip - INT3_INSN_SIZE;
    bool ours = emulate_of(core, 0, addr, regs) || emulate_of(core, 1, addr, regs);

    core_local_inc(ours ? &core->int3_hits : &core->int3_foreign);
    return ours;
}

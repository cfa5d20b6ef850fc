/* SPDX-License-Identifier: MIT */
/*
 * I15: while nobody but the engine plants INT3s, none is ever left unclaimed. What to look at if
 * one is: the byte that stands there now (another one: a trap that came late), this core's
 * references (0: not published), and the table (not in it, or in it but not found: unsorted).
 */
#include "tests/poke/orphans.h"

#include "kernel/lib/string.h"
#include "poke/table.h"
#include "smp/percpu.h"
#include "tests/lib/int3_counts.h"
#include "tests/lib/own_breakpoints.h"
#include "tests/lib/race.h"
#include "tests/lib/table_refs.h"

static const struct site_spec specs[] = {
    { SITE_5, 0x0200 }, { SITE_6, 0x033d },     { SITE_2, 0x047f },
    { SITE_5, 0x0ffd }, { SITE_6_JCC, 0x127c }, { SITE_2_JCC, 0x1fff },
};

/* Filled in by the core that takes number 0; read when all cores have stopped. */
static struct {
    uint32_t count; /* takers of a number */
    unsigned core;
    uint64_t address;
    uint8_t byte;
    uint32_t refs;
    unsigned entries;
    int entry; /* which one is at the address; -1: none */
} orphan;

/* Behind the engine: whatever comes here is an orphan. It is left to the race's recovery. */
static bool record_orphan(struct trap_frame *frame)
{
    if (fetch_add(&orphan.count, 1) != 0)
        return false;
    orphan.core = cpu_index();
    orphan.address = frame->rip - INT3_INSN_SIZE;
    orphan.byte = *(volatile uint8_t *)orphan.address;
    orphan.refs = table_refs(orphan.core);
    /* Evidence only: the table may be changing while it is read. */
    orphan.entries = load_relaxed(&poke_table->count);
    orphan.entry = -1;
    for (unsigned i = 0; i < orphan.entries && i < TEXT_POKE_ARRAY_MAX; i++) {
        if (poke_table->entries[i].addr == orphan.address)
            orphan.entry = (int)i;
    }
    return false;
}

void race_for_orphans(struct test_run *t, const struct poke_protocol *row)
{
    uint64_t foreign = int3_counts().foreign;

    memset(&orphan, 0, sizeof orphan);
    own_breakpoints_begin(record_orphan);
    const struct race_result *r = race_run(t, &(struct race_plan){
                                                  .specs = specs,
                                                  .count = sizeof specs / sizeof specs[0],
                                                  .ms = 450,
                                                  .least_runs = 150,
                                                  .batch_percent = 50,
                                                  .interrupts = true,
                                                  .protocol = row,
                                              });
    own_breakpoints_end();
    if (orphan.count)
        FAIL("orphan #BP at 0x%llx on core %u (%u in all): byte 0x%02x, refs %u, %u entries, "
             "entry %d is there",
             (unsigned long long)orphan.address, orphan.core, orphan.count, orphan.byte,
             orphan.refs, orphan.entries, orphan.entry);
    EXPECT_EQ(int3_counts().foreign - foreign, orphan.count);
    race_judge(t, r);
}

TEST(poke, i15_no_orphan_int3,
     "no breakpoint is left unclaimed while sites change under threads, timers and NMIs", .cpus = 2,
     .budget_ms = 600,
     .must_see = { { SEE_INT3_HITS, 300 },
                   { SEE_BATCHES, 100 },
                   { SEE_CROSSINGS, 50 },
                   { SEE_TIMER_EXECUTIONS, 50 },
                   { SEE_NMI_EXECUTIONS, 50 } })
{
    race_for_orphans(t, NULL);
}

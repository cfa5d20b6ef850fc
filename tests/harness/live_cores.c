/* SPDX-License-Identifier: MIT */
/*
 * What each core is doing, from the words that it writes anyway; no core is asked. An INT3 is over
 * in a microsecond: its character says that the core has met one since it was last looked at.
 */
#include "tests/harness/live_cores.h"

#include "kernel/console/screen.h"
#include "kernel/lib/atomic.h"
#include "kernel/lib/fmt.h"
#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "kernel/time/time.h"
#include "poke/machine.h"
#include "smp/smp.h"
#include "tests/harness/live_text.h"

/* A core whose timer ticks has ticked meanwhile, many times over. */
#define STUCK_NS 5000000000ull

static uint64_t *hits_before; /* INT3s of each core at the last look */
static uint64_t all_hits;

static bool is_stuck(const struct percpu *cpu)
{
    uint64_t tick = load_relaxed(&cpu->heartbeat_time); /* 0: its timer is off */
    int64_t since = (int64_t)(rdtsc() - (tick - (uint64_t)cpu->tsc_offset));

    return tick && since > 0 && time_ticks_to_ns((uint64_t)since) > STUCK_NS;
}

static bool met_int3(unsigned core)
{
    uint64_t hits = load_relaxed(&machine_poke_core(core)->int3_hits);
    bool more = hits_before && hits != hits_before[core];

    all_hits += hits;
    if (hits_before)
        hits_before[core] = hits;
    return more;
}

static const struct {
    char c;
    enum screen_style style;
    const char *meaning;
} states[] = {
    { '.', STYLE_DIM, "idle" },  { 'r', STYLE_GOOD, "running" }, { '3', STYLE_ACCENT, "met INT3" },
    { 'X', STYLE_BAD, "stuck" }, { '-', STYLE_WARN, "offline" },
};
enum { CORE_IDLE, CORE_RUNS, CORE_INT3, CORE_STUCK, CORE_OFFLINE, CORE_STATES };
_Static_assert(sizeof states / sizeof states[0] == CORE_STATES, "one each");

static unsigned state_of(unsigned core, bool test_runs)
{
    const struct percpu *cpu = percpu(core);
    bool int3 = met_int3(core);

    if (!smp_is_online(core))
        return CORE_OFFLINE;
    if (is_stuck(cpu))
        return CORE_STUCK;
    if (int3)
        return CORE_INT3;
    /* The boot core, which draws this, is always busy. */
    bool busy = core == 0 ? test_runs : load_relaxed(&cpu->state) == CPU_BUSY;
    return busy ? CORE_RUNS : CORE_IDLE;
}

static void put_legend(unsigned row, unsigned cores, unsigned hidden)
{
    char text[64];
    unsigned column = 1;

    if (hidden)
        fmt_print(text, sizeof text, "%u cores, the last %u not shown", cores, hidden);
    else
        fmt_print(text, sizeof text, "%u core%s", cores, cores == 1 ? "" : "s");
    screen_put(row, column, STYLE_TEXT, text);
    column = hidden ? 40 : 14;
    for (unsigned i = 0; i < CORE_STATES; i++) {
        screen_fill(row, column, 1, states[i].style, (uint8_t)states[i].c);
        screen_put(row, column + 2, STYLE_DIM, states[i].meaning);
        column += (unsigned)strlen(states[i].meaning) + 4;
    }
}

unsigned live_cores(unsigned row, bool test_runs)
{
    unsigned cores = smp_possible();
    struct strip strip = strip_layout(cores, screen_columns());
    char label[8];

    if (!hits_before)
        hits_before = pages_alloc_virt((cores * sizeof *hits_before + PAGE_SIZE - 1) / PAGE_SIZE);
    all_hits = 0;
    put_legend(row++, cores, strip.hidden);
    for (unsigned i = 0; i < cores - strip.hidden; i++) {
        unsigned at = row + i / strip.per_row, state = state_of(i, test_runs);

        if (i % strip.per_row == 0) {
            fmt_print(label, sizeof label, "%4u", i);
            screen_put(at, 0, STYLE_DIM, label);
        }
        screen_fill(at, strip_column(&strip, i), 1, states[state].style, (uint8_t)states[state].c);
    }
    return row + strip.rows;
}

uint64_t live_int3_hits(void)
{
    return all_hits;
}

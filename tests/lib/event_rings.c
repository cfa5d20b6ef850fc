/* SPDX-License-Identifier: MIT */
#include "tests/lib/event_rings.h"

#include "kernel/mm/mm.h"
#include "poke/event_log.h"
#include "smp/smp.h"

#define PATCHER_CORES   2 /* see may_patch() */
#define PATCHER_ENTRIES (2 * POKE_LOG_PATCHER_MIN)
#define OTHER_ENTRIES   (4 * POKE_LOG_OTHER_MIN)

static void *allocate(size_t bytes)
{
    return pages_alloc_virt((bytes + PAGE_SIZE - 1) / PAGE_SIZE);
}

/* The boot core, and the core that a test takes for a second patcher. */
static bool may_patch(unsigned core)
{
    return core == cpu_index() || (int)core == smp_next_online((int)cpu_index());
}

static uint32_t entries_of(unsigned core)
{
    return may_patch(core) ? PATCHER_ENTRIES : OTHER_ENTRIES;
}

bool event_rings_attach(void)
{
    unsigned cores = smp_possible();
    struct poke_log *logs = allocate(cores * sizeof *logs);
    size_t entries = PATCHER_CORES * PATCHER_ENTRIES + cores * OTHER_ENTRIES;
    struct poke_event *events = allocate(entries * sizeof *events);

    if (!logs || !events)
        return false;
    for (unsigned i = 0; i < cores; i++) {
        poke_log_attach(i, &logs[i], events, entries_of(i));
        events += entries_of(i);
    }
    return true;
}

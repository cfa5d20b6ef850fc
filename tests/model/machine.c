/* SPDX-License-Identifier: MIT */
/*
 * poke/machine.h for the simulated cores, and what else the engine calls through the model: its
 * accesses to shared words, and the life of its table.
 */
#include "tests/model/choice.h"
#include "tests/model/world.h"

#include <stdlib.h>

void model_access(const void *word, const char *what);
const struct poke_entry *model_table_at_or_below(const struct poke_table *table, uintptr_t addr);
void model_table_publish(struct poke_table *table);
void model_table_retire(struct poke_table *table);

unsigned machine_cores(void)
{
    return world_cores();
}

unsigned machine_this_core(void)
{
    return world.actor;
}

bool machine_core_online(unsigned core)
{
    return core < world_cores() && (!is_reader(core) || hotplug_online(reader_of(core)));
}

struct poke_core *machine_poke_core(unsigned core)
{
    return &world.cores[core];
}

struct poke_core *machine_this_poke_core(void)
{
    return machine_poke_core(machine_this_core());
}

/* No order is derived from time here: no core has an event log. */
uint64_t machine_now(void)
{
    return 0;
}

uint64_t machine_clock_skew(void)
{
    return 0;
}

/*
 * Patchers stay, execute no site, and take IPIs wherever they wait: only the readers'
 * acknowledgements can be late. One look at all cores is enough: what a core does between a look
 * at another core and the look at it, it could as well have done before both, as readers share
 * nothing.
 */
void machine_sync_cores(uint64_t round)
{
    struct patcher *p = &world.patchers[world.actor];
    unsigned online;

    if (world.scenario->hotplug)
        world_yield(); /* between the last store and the look at who is online */
    online =
        world.scenario->hotplug == HOTPLUG_EARLY_LOOK ? world.looked : hotplug_online_readers();
    world.round = round;
    for (unsigned i = 0; i < world.scenario->readers; i++)
        world.readers[i].ipi = online & 1u << i;
    trace("%s: sends the sync IPI (cores: %d)", world.phase ? world.phase : "sync",
          __builtin_popcount(online));
    world.scenario->engine->log_ack(round);
    p->syncing = true;
    world_yield();
    p->syncing = false;
    trace("all cores have acknowledged");
}

void machine_sync_this_core(void)
{
}

bool machine_is_patchable(uintptr_t addr, size_t len)
{
    return addr - (uintptr_t)model_text < TEXT_BYTES &&
           len <= TEXT_BYTES - (addr - (uintptr_t)model_text);
}

bool machine_window_open(struct machine_window *w, const uintptr_t *pages, unsigned n)
{
    if (!n || n > sizeof(world.shown) / sizeof(world.shown[0]))
        return false;
    for (unsigned i = 0; i < n; i++)
        world.shown[i] = pages[i];
    world.shown_pages = n;
    if (world.scenario->hotplug == HOTPLUG_EARLY_LOOK) {
        trace("%s: looks at who is online, too early", world.phase);
        world.looked = hotplug_online_readers();
    }
    w->pages = n;
    return true;
}

void machine_window_close(struct machine_window *w)
{
    world.shown_pages = 0;
    w->pages = 0;
}

static void store(uintptr_t addr, const uint8_t *bytes, size_t len)
{
    world_yield();
    world.idle_waits = 0; /* not waiting: a row of steps may relax between stores */
    text_store(addr, bytes, len);

    unsigned site = 0;
    unsigned byte = 0;

    for (size_t i = 0; i < len; i++)
        if (world_site_at(addr + i, &site, &byte))
            trace("%s: stores %02x to site %u, byte %u", world.phase, bytes[i], site, byte);
}

static uintptr_t text_address(size_t offset)
{
    if (offset / MACHINE_PAGE >= world.shown_pages)
        abort();
    return world.shown[offset / MACHINE_PAGE] + offset % MACHINE_PAGE;
}

/* How machine_window_store() may store a range: its contract leaves width and order open. */
enum { STORE_UP, STORE_DOWN, STORE_WIDE, STORE_WAYS };

void machine_window_store(struct machine_window *w, size_t offset, const uint8_t *bytes, size_t len)
{
    /* Where each byte is free anyway, so is the order of their stores. */
    bool free = len < 2 || world.scenario->view == VIEW_ANY;
    unsigned way = free ? STORE_UP : choose(STORE_WAYS);

    (void)w;
    for (size_t i = 0, n = 1; i < len; i += n) {
        size_t at = way == STORE_DOWN ? len - 1 - i : i;
        uintptr_t addr = text_address(offset + at);

        if (way == STORE_WIDE)
            n = 8 - addr % 8 < len - i ? 8 - addr % 8 : len - i;
        store(addr, bytes + at, n);
    }
}

static bool handler_runs(void)
{
    for (unsigned i = 0; i < world.scenario->readers; i++)
        if (world.readers[i].depth)
            return true;
    return false;
}

static unsigned live_patchers(void)
{
    unsigned live = 0;

    for (unsigned i = 0; i < world.scenario->patchers; i++)
        live += !world.patchers[i].done;
    return live;
}

/*
 * A patcher that waits once with no handler running may just not have looked again. Twice with
 * nobody else who could end the wait is for ever.
 */
void machine_relax(void)
{
    if (live_patchers() == 1 && !handler_runs() && ++world.idle_waits > 1)
        violate(CLAUSE_HANG, "waits for references, but no core runs a handler (%s)",
                world.phase ? world.phase : "no phase");
    world_yield();
}

void machine_phase(const char *phase)
{
    world.phase = phase;
}

/* ---- what the engine does through the model ---- */

void model_access(const void *word, const char *what)
{
    uintptr_t offset = (uintptr_t)word - (uintptr_t)world.cores;
    unsigned core = (unsigned)(offset / sizeof(world.cores[0]));

    if (offset >= sizeof(world.cores)) {
        world_yield();
        trace("%s of a shared word of the engine", what);
        return;
    }
    /* Only a patcher accesses a patcher's references; the other words are the event log's. */
    const uint32_t *refs = world.cores[core].refs;

    if (!is_reader(core) || (const uint32_t *)word < refs ||
        (const uint32_t *)word >= refs + POKE_TABLES)
        return;
    world_yield();
    trace("%s of refs[%u] of core %u, which is %u", what, (unsigned)((const uint32_t *)word - refs),
          core, *(const uint32_t *)word);
}

/* Which of the engine's tables it is. */
static unsigned index_of(const struct poke_table *table)
{
    return (unsigned)(table - world.scenario->engine->tables);
}

static void check_table(const struct poke_table *table)
{
    if (!world.table_open[index_of(table)])
        violate(CLAUSE_TABLE, "a #BP handler reads the table, which is not published");
}

/* The handler's search, which ends with reading the entry that was found. */
const struct poke_entry *model_table_at_or_below(const struct poke_table *table, uintptr_t addr)
{
    world_yield();
    trace("#BP handler: looks the INT3 up");
    check_table(table);

    const struct poke_entry *entry = world.scenario->engine->table_at_or_below(table, addr);

    world_yield();
    check_table(table); /* the entry is read now */
    return entry;
}

void model_table_publish(struct poke_table *table)
{
    world.table_open[index_of(table)] = true;
    world.scenario->engine->table_publish(table);
}

void model_table_retire(struct poke_table *table)
{
    world.scenario->engine->table_retire(table);
    world.table_open[index_of(table)] = false;
}

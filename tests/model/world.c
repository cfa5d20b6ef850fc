/* SPDX-License-Identifier: MIT */
#include "tests/model/world.h"

#include "tests/model/choice.h"
#include "tests/model/hash.h"

#include <stdlib.h>
#include <string.h>

struct world world;
static uint8_t stacks[MAX_CORES][COROUTINE_STACK] __attribute__((aligned(64)));

#define STACK_SAVED 1024 /* most that is live of one between two steps */

static struct {
    struct world world;
    unsigned time;
    uint8_t data[32768]; /* the engine's variables */
    uint64_t data_hash;
    uint8_t stacks[MAX_CORES][STACK_SAVED];
} saved;

/* ---- coroutines ---- */

void world_start(unsigned core, void (*entry)(unsigned))
{
    /* Left over from earlier runs, unused words of frames would make equal states differ. */
    memset(stacks[core] + COROUTINE_STACK - STACK_SAVED, 0, STACK_SAVED);
    coroutine_start(&world.runs[core], stacks[core] + COROUTINE_STACK, entry, core);
}

void world_run(unsigned core)
{
    world.actor = core;
    coroutine_resume(&world.runs[core]);
}

void world_yield(void)
{
    coroutine_yield(&world.runs[world.actor]);
}

/* Has this core a stack whose content matters? */
static bool is_running(unsigned core)
{
    return is_reader(core) ? reader_of(core)->handling : !world.patchers[core].done;
}

/* ---- the engine's variables ---- */

static size_t data_len(const struct engine *e)
{
    return (size_t)(e->data_end - e->data);
}

static size_t bss_len(const struct engine *e)
{
    return (size_t)(e->bss_end - e->bss);
}

static uint64_t hash_engine(const struct engine *e)
{
    return hash_bytes(hash_bytes(0, e->data, data_len(e)), e->bss, bss_len(e));
}

static void save_engine(const struct engine *e)
{
    if (data_len(e) + bss_len(e) > sizeof(saved.data))
        abort();
    memcpy(saved.data, e->data, data_len(e));
    memcpy(saved.data + data_len(e), e->bss, bss_len(e));
    saved.data_hash = hash_engine(e);
}

static void restore_engine(const struct engine *e)
{
    memcpy(e->data, saved.data, data_len(e));
    memcpy(e->bss, saved.data + data_len(e), bss_len(e));
}

/* Most steps leave the engine's variables as they were saved, and comparing is faster. */
static uint64_t hash_engine_since_saved(const struct engine *e)
{
    if (!memcmp(e->data, saved.data, data_len(e)) &&
        !memcmp(e->bss, saved.data + data_len(e), bss_len(e)))
        return saved.data_hash;
    return hash_engine(e);
}

/* Variables as the program was loaded: .data from a copy made before the first use, .bss zero. */
static void reset_engine(const struct engine *e)
{
    static struct {
        const struct engine *engine;
        uint8_t data[256];
    } loaded[16];
    size_t len = data_len(e);
    unsigned i = 0;

    while (loaded[i].engine && loaded[i].engine != e)
        i++;
    if (!loaded[i].engine) {
        if (len > sizeof(loaded[i].data))
            abort();
        loaded[i].engine = e;
        memcpy(loaded[i].data, e->data, len);
    }
    memcpy(e->data, loaded[i].data, len);
    memset(e->bss, 0, bss_len(e));
}

/* ---- state ---- */

void world_reset(const struct scenario *s)
{
    static const uint8_t breakpoint = INT3_INSN_OPCODE;

    world = (struct world){ .scenario = s };
    violation.seen = false;
    reset_engine(s->engine);
    text_reset();
    text_init(FOREIGN_INT3, &breakpoint, 1);
    for (unsigned i = 0; i < s->sites; i++)
        text_init(s->site[i].addr, s->site[i].image[0]->bytes, s->site[i].image[0]->slot);
    for (unsigned i = 0; i < s->patchers; i++)
        world_start(i, patcher_main);
}

bool world_done(void)
{
    for (unsigned i = 0; i < world.scenario->patchers; i++)
        if (!world.patchers[i].done)
            return false;
    return true;
}

bool world_site_at(uintptr_t addr, unsigned *site, unsigned *byte)
{
    const struct scenario *s = world.scenario;

    for (unsigned i = 0; i < s->sites; i++) {
        if (addr - s->site[i].addr >= s->site[i].image[0]->slot)
            continue;
        *site = i;
        *byte = (unsigned)(addr - s->site[i].addr);
        return true;
    }
    return false;
}

void world_save(void)
{
    saved.world = world;
    saved.time = text_now();
    save_engine(world.scenario->engine);
    for (unsigned i = 0; i < world_cores(); i++) {
        if (!is_running(i))
            continue;
        if (coroutine_live(&world.runs[i]) > sizeof(saved.stacks[i]))
            abort();
        memcpy(saved.stacks[i], world.runs[i].sp, coroutine_live(&world.runs[i]));
    }
}

void world_restore(void)
{
    world = saved.world;
    violation.seen = false;
    text_rewind(saved.time);
    restore_engine(world.scenario->engine);
    for (unsigned i = 0; i < world_cores(); i++)
        if (is_running(i))
            memcpy(world.runs[i].sp, saved.stacks[i], coroutine_live(&world.runs[i]));
}

static uint64_t hash_reader(const struct reader *r, uint64_t hash)
{
    hash = hash_word(hash, r->ipi | r->handling << 1);
    if (!r->handling)
        return text_hash_since(r->since, hash);
    /* It fetches nothing before the IRET, which serialises: what it could fetch now is no matter */
    hash = hash_word(hash, r->site | r->owned << 8 | r->foreign << 9);
    hash = hash_bytes(hash_word(hash, r->flags), &r->regs, sizeof(r->regs));
    return hash_bytes(hash, r->stack, sizeof(r->stack));
}

uint64_t world_hash(void)
{
    const struct scenario *s = world.scenario;
    uint64_t hash = hash_word(world.table_open, world.idle_waits);

    for (unsigned i = 0; i < world_cores(); i++) {
        hash = hash_word(hash, world.cores[i].refs);
        if (is_running(i))
            hash = hash_bytes(hash, world.runs[i].sp, coroutine_live(&world.runs[i]));
    }
    for (unsigned i = 0; i < s->patchers; i++)
        hash = hash_word(hash, world.patchers[i].done | world.patchers[i].syncing << 1);
    for (unsigned i = 0; i < s->readers; i++)
        hash = hash_reader(&world.readers[i], hash);
    for (unsigned i = 0; i < s->sites; i++) {
        const struct site_state *site = &world.sites[i];

        hash = hash_bytes(hash, (const void *)s->site[i].addr, s->site[i].image[0]->slot);
        hash = hash_word(hash, site->current | site->pending << 1 | site->patching << 2);
    }
    return hash_word(hash, hash_engine_since_saved(s->engine));
}

/* ---- steps ---- */

static bool acknowledged(void)
{
    for (unsigned i = 0; i < world.scenario->readers; i++)
        if (world.readers[i].ipi)
            return false;
    return true;
}

static bool can_run(const struct patcher *p)
{
    return !p->done && (!p->syncing || acknowledged());
}

static void reader_step(unsigned core)
{
    const struct reader *r = reader_of(core);
    unsigned sites = world.scenario->sites + 1; /* and the other owner's INT3 */

    if (r->handling) {
        reader_handle(core);
        return;
    }

    unsigned which = choose(sites + r->ipi);

    if (which < sites)
        reader_execute(core, which);
    else
        reader_take_ipi(core);
}

void world_step(void)
{
    const struct scenario *s = world.scenario;
    unsigned able[MAX_CORES];
    unsigned n = 0;

    for (unsigned i = 0; i < s->patchers; i++)
        if (can_run(&world.patchers[i]))
            able[n++] = i;
    for (unsigned i = 0; i < s->readers; i++)
        able[n++] = s->patchers + i;

    world.actor = able[choose(n)];
    if (is_reader(world.actor))
        reader_step(world.actor);
    else
        world_run(world.actor);
}

/* SPDX-License-Identifier: MIT */
#include "tests/model/state.h"

#include "tests/model/hash.h"
#include "tests/model/variables.h"
#include "tests/model/world.h"

#include <stdlib.h>
#include <string.h>

#define STACK_SAVED 1024 /* most that is live of one between two steps */

static struct {
    struct world world;
    unsigned time;
    const struct variables *variables;
    uint8_t stacks[MAX_CORES][TRAPS_MAX][STACK_SAVED];
} saved;

void state_save(void)
{
    saved.world = world;
    saved.time = text_now();
    saved.variables = variables_keep(world.scenario->engine);
    for (unsigned i = 0; i < world_cores(); i++) {
        for (unsigned level = 0; level < world_stacks(i); level++) {
            const struct coroutine *run = &world.runs[i][level];

            if (coroutine_live(run) > STACK_SAVED)
                abort();
            memcpy(saved.stacks[i][level], run->sp, coroutine_live(run));
        }
    }
}

void state_restore(void)
{
    world = saved.world;
    violation.seen = false;
    text_rewind(saved.time);
    variables_set(world.scenario->engine, saved.variables);
    for (unsigned i = 0; i < world_cores(); i++) {
        for (unsigned level = 0; level < world_stacks(i); level++) {
            struct coroutine *run = &world.runs[i][level];

            memcpy(run->sp, saved.stacks[i][level], coroutine_live(run));
        }
    }
}

/* ---- packed ---- */

struct packed {
    size_t len;
    uint8_t bytes[];
};

struct packed *state_pack(void)
{
    static uint8_t buffer[65536];
    struct packing p = { buffer, buffer + sizeof(buffer) };
    const struct variables *variables = variables_keep(world.scenario->engine);

    pack_sparse(&p, &world, sizeof(world));
    pack(&p, &variables, sizeof(variables));
    text_pack(&p);
    for (unsigned i = 0; i < world_cores(); i++)
        for (unsigned level = 0; level < world_stacks(i); level++)
            pack(&p, world.runs[i][level].sp, coroutine_live(&world.runs[i][level]));

    size_t len = (size_t)(p.at - buffer);
    struct packed *packed = malloc(sizeof(*packed) + len);

    if (!packed)
        abort();
    packed->len = len;
    memcpy(packed->bytes, buffer, len);
    return packed;
}

void state_unpack(struct packed *packed)
{
    struct packing p = { packed->bytes, packed->bytes + packed->len };
    const struct variables *variables;

    unpack_sparse(&p, &world, sizeof(world));
    unpack(&p, &variables, sizeof(variables));
    variables_set(world.scenario->engine, variables);
    text_unpack(&p);
    for (unsigned i = 0; i < world_cores(); i++)
        for (unsigned level = 0; level < world_stacks(i); level++)
            unpack(&p, world.runs[i][level].sp, coroutine_live(&world.runs[i][level]));
}

/* ---- hashed ---- */

static uint64_t hash_trap(const struct trap *t, uint64_t hash)
{
    hash = hash_word(hash, t->site | t->owned << 8 | t->foreign << 9 | t->returned << 10 |
                               t->claimed << 11);
    hash = hash_bytes(hash_word(hash, t->flags), &t->regs, sizeof(t->regs));
    return hash_bytes(hash, t->stack, sizeof(t->stack));
}

/* Can it fetch anything before it serialises? In a #BP handler it cannot, but for an NMI's. */
static bool may_fetch(const struct reader *r)
{
    return r->depth ? reader_may_nest(r) : !hotplug_will_serialise(r);
}

static uint64_t hash_reader(const struct reader *r, uint64_t hash)
{
    hash = hash_word(hash, r->ipi | r->presence << 1 | r->depth << 4);
    if (may_fetch(r))
        hash = text_hash_since(r->since, hash);
    for (unsigned i = 0; i < r->depth; i++)
        hash = hash_trap(&r->traps[i], hash);
    return hash;
}

uint64_t state_hash(void)
{
    const struct scenario *s = world.scenario;
    uint64_t hash = hash_word(world.table_open[0] | world.table_open[1] << 1 | world.looked << 2,
                              world.idle_waits);

    for (unsigned i = 0; i < world_cores(); i++) {
        for (unsigned t = 0; t < POKE_TABLES; t++)
            hash = hash_word(hash, world.cores[i].refs[t]);
        for (unsigned level = 0; level < world_stacks(i); level++)
            hash = hash_bytes(hash, world.runs[i][level].sp, coroutine_live(&world.runs[i][level]));
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
    return hash_word(hash, variables_keep(s->engine)->hash);
}

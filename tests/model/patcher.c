/* SPDX-License-Identifier: MIT */
/* A core that patches: it runs its program on the engine, and tells the oracle what it does. */
#include "tests/model/world.h"

#include <string.h>

static void *addr_of(const struct op *op)
{
    return (void *)world.scenario->site[op->site].addr;
}

static const struct image *image_of(const struct op *op)
{
    return world.scenario->site[op->site].image[op->image];
}

/* The engine's argument: NULL, as most callers pass it, if the new instruction emulates itself. */
static const void *emulate_of(const struct op *op)
{
    const struct image *emulate = world.scenario->site[op->site].emulate[op->image];

    return emulate == image_of(op) ? NULL : emulate->bytes;
}

/* From here to batch_done() the site may run as either image. */
static void on_its_way(const struct op *op)
{
    struct site_state *site = &world.sites[op->site];

    site->pending = op->image;
    site->patching = true;
}

/* The engine has finished all that was pending: nobody who starts now runs an old image. */
static void batch_done(void)
{
    for (unsigned i = 0; i < world.scenario->sites; i++) {
        struct site_state *site = &world.sites[i];

        if (site->patching)
            site->current = site->pending;
        site->patching = false;
    }
}

static void check(enum poke_error e, const char *what)
{
    if (e)
        violate(CLAUSE_RESULT, "%s: %s", what, poke_error_text(e));
}

static void do_op(const struct op *op)
{
    const struct engine *engine = world.scenario->engine;
    bool flushed;

    switch ((enum op_kind)op->kind) {
    case OP_LOCK:
        engine->lock();
        if (world.scenario->protocol)
            check(engine->select(world.scenario->protocol), "poke_select_protocol");
        break;
    case OP_UNLOCK:
        engine->unlock();
        break;
    case OP_ADD:
        trace("smp_text_poke_batch_add: site %u becomes %s", op->site, image_of(op)->name);
        check(engine->add(addr_of(op), image_of(op)->bytes, image_of(op)->slot, emulate_of(op),
                          &flushed),
              "smp_text_poke_batch_add");
        if (flushed)
            batch_done();
        on_its_way(op);
        break;
    case OP_FINISH:
        trace("smp_text_poke_batch_finish");
        check(engine->finish(), "smp_text_poke_batch_finish");
        batch_done();
        break;
    case OP_SINGLE:
        trace("smp_text_poke_single: site %u becomes %s", op->site, image_of(op)->name);
        on_its_way(op);
        check(engine->single(addr_of(op), image_of(op)->bytes, image_of(op)->slot, emulate_of(op)),
              "smp_text_poke_single");
        batch_done();
        break;
    case OP_END:
        break;
    }
}

/* After the last program: the text is changed, and nothing else is left of it. */
static void check_result(void)
{
    for (unsigned i = 0; i < world.scenario->sites; i++) {
        const struct site *site = &world.scenario->site[i];
        const struct image *image = site->image[world.sites[i].current];

        if (memcmp((const void *)site->addr, image->bytes, image->slot))
            violate(CLAUSE_RESULT, "site %u does not hold %s at the end", i, image->name);
    }
    for (unsigned i = 0; i < world_cores(); i++)
        for (unsigned t = 0; t < POKE_TABLES; t++)
            if (world.cores[i].refs[t])
                violate(CLAUSE_RESULT, "%u references of core %u are left over",
                        world.cores[i].refs[t], i);
    for (unsigned t = 0; t < POKE_TABLES; t++)
        if (world.table_open[t])
            violate(CLAUSE_RESULT, "table %u is still published", t);
}

void patcher_main(unsigned core)
{
    for (const struct op *op = world.scenario->program[core]; op->kind != OP_END; op++) {
        if (op->kind == OP_LOCK)
            world_yield(); /* another patcher may come first */
        do_op(op);
    }
    world.patchers[core].done = true;
    if (world_done())
        check_result();
    trace("finished");
    world_yield();
}

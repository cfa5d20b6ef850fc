/* SPDX-License-Identifier: MIT */
#include "tests/model/world.h"

#include "tests/model/choice.h"
#include "tests/model/variables.h"

#include <stdlib.h>
#include <string.h>

struct world world;
static uint8_t stacks[MAX_CORES][TRAPS_MAX][COROUTINE_STACK] __attribute__((aligned(64)));

#define STACK_USED 1024 /* below the stack pointer, by one step in which nothing is printed */

/* ---- coroutines ---- */

unsigned world_stacks(unsigned core)
{
    return is_reader(core) ? reader_of(core)->depth : !world.patchers[core].done;
}

/* The innermost of them. */
static unsigned level_of(unsigned core)
{
    return is_reader(core) ? reader_of(core)->depth - 1u : 0;
}

void world_start(unsigned core, void (*entry)(unsigned))
{
    unsigned level = level_of(core);

    coroutine_start(&world.runs[core][level], stacks[core][level] + COROUTINE_STACK, entry, core);
}

void world_run(unsigned core)
{
    struct coroutine *run = &world.runs[core][level_of(core)];

    /* Left over from earlier steps, unused words of frames would make equal states differ. */
    memset(run->sp - STACK_USED, 0, STACK_USED);
    world.actor = core;
    coroutine_resume(run);
}

void world_yield(void)
{
    coroutine_yield(&world.runs[world.actor][level_of(world.actor)]);
}

void world_reset(const struct scenario *s)
{
    static const uint8_t breakpoint = INT3_INSN_OPCODE;

    world = (struct world){ .scenario = s };
    violation.seen = false;
    variables_reset(s->engine);
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

    variables_may_change();
    world.actor = able[choose(n)];
    if (is_reader(world.actor))
        reader_step(world.actor);
    else
        world_run(world.actor);
}

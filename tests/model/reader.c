/* SPDX-License-Identifier: MIT */
/*
 * A core that executes the sites. Fetching and executing an instruction is one step: whatever
 * could be fetched earlier can be fetched then too, as fetching alone changes nothing and a core
 * that serialises drops what it had fetched. The #BP handler is the engine's, on a stack of the
 * core; where NMIs are, one can interrupt it and execute a site itself.
 */
#include "tests/model/choice.h"
#include "tests/model/world.h"

#include <stdio.h>
#include <string.h>

#define STACK_FILL  0x5aa5c33c00000000ull /* what the words of an unused stack begin with */
#define RETURN_ADDR 0x0badc0de12345678ull /* the word on top of the interrupted stack */

static uintptr_t addr_of(const struct trap *t)
{
    return t->foreign ? FOREIGN_INT3 : world.scenario->site[t->site].addr;
}

/* The images that may run at the site now. */
static bool may_run(const struct site_state *site, unsigned image)
{
    return image == site->current || (site->patching && image == site->pending);
}

static void describe(const struct fetched *f, char *text, size_t size)
{
    size_t used = 0;

    for (unsigned i = 0; i < f->len; i++)
        used += (size_t)snprintf(text + used, size - used, " %02x@%u", f->bytes[i], f->time[i]);
}

/* ---- the #BP handler ---- */

static struct trap *innermost(struct reader *r)
{
    return &r->traps[r->depth - 1];
}

static void handler_main(unsigned core)
{
    struct trap *t = innermost(reader_of(core));

    t->claimed = world.scenario->engine->handler(&t->regs);
    t->returned = true;
    world_yield();
}

/* The INT3 of site `site`, or of another owner, was fetched and executed: deliver #BP. */
static void trap(unsigned core, unsigned site)
{
    const struct scenario *s = world.scenario;
    struct reader *r = reader_of(core);
    struct trap *t = &r->traps[r->depth++];
    bool conditional = false;

    *t = (struct trap){ .foreign = site == s->sites, .site = (uint8_t)site };
    t->owned = t->foreign;
    for (unsigned i = 0; i < 2 && !t->foreign; i++) {
        conditional |= image_is_conditional(s->site[site].emulate[i]);
        t->owned |= s->site[site].image[i]->kind == IMAGE_INT3 && may_run(&world.sites[site], i);
    }
    for (unsigned i = 0; i < READER_STACK; i++)
        t->stack[i] = STACK_FILL + i;
    t->stack[READER_STACK / 2] = RETURN_ADDR;
    t->flags = choose(conditional ? 2 : 1) ? FLAG_ZF : 0;
    t->regs = (struct poke_regs){
        .ip = addr_of(t) + INT3_INSN_SIZE,
        .sp = (uintptr_t)&t->stack[READER_STACK / 2],
        .flags = t->flags,
    };
    world_start(core, handler_main);
}

/* Did the emulation do what the image that INT3 stands for does? */
static void check_flow(const struct trap *t, const struct image *image)
{
    const struct flow want = image_run(image, addr_of(t), t->flags, RETURN_ADDR);
    unsigned sp = (unsigned)(READER_STACK / 2 + want.sp_words);

    if (t->regs.ip != want.ip)
        violate(CLAUSE_FLOW, "%s of site %u emulated: goes to %#lx instead of %#lx", image->name,
                t->site, t->regs.ip, want.ip);
    if (t->regs.sp != (uintptr_t)&t->stack[sp])
        violate(CLAUSE_FLOW, "%s of site %u emulated: wrong stack pointer", image->name, t->site);
    if (t->regs.flags != t->flags)
        violate(CLAUSE_FLOW, "%s of site %u emulated: flags changed", image->name, t->site);
    for (unsigned i = 0; i < READER_STACK; i++) {
        uint64_t word = i == READER_STACK / 2 ? RETURN_ADDR : STACK_FILL + i;

        if (i == sp && want.sp_words < 0)
            word = want.pushed;
        if (t->stack[i] != word)
            violate(CLAUSE_FLOW, "%s of site %u emulated: stack word %d is %#lx instead of %#lx",
                    image->name, t->site, (int)i - READER_STACK / 2, t->stack[i], word);
    }
}

static void check_handled(const struct trap *t)
{
    if (!t->claimed) {
        if (!t->owned)
            violate(CLAUSE_ORPHAN, "nobody claims the INT3 of site %u", t->site);
        return;
    }
    if (t->foreign) {
        violate(CLAUSE_FOREIGN, "the engine claims another owner's INT3");
        return;
    }

    const struct site_state *state = &world.sites[t->site];
    const struct image *image =
        world.scenario->site[t->site].emulate[state->patching ? state->pending : state->current];

    if (image->kind == IMAGE_INT3)
        violate(CLAUSE_FOREIGN, "the engine claims site %u's INT3, which is the new instruction",
                t->site);
    else
        check_flow(t, image);
}

bool reader_may_nest(const struct reader *r)
{
    return world.scenario->nmi && r->depth && r->depth < TRAPS_MAX;
}

/* One step of the innermost #BP handler; the last one ends with the IRET. */
static void handle(unsigned core)
{
    struct reader *r = reader_of(core);
    struct trap *t = innermost(r);

    world.idle_waits = 0;
    if (!t->returned) {
        world_run(core);
        if (!t->returned || reader_may_nest(r))
            return; /* an NMI can come between the handler's end and the IRET */
    }
    trace("#BP handler: %s; IRET to %#lx", t->claimed ? "emulated" : "not ours", t->regs.ip);
    check_handled(t);
    r->depth--;
    r->since = text_now(); /* IRET serialises: SDM vol 3A "Serializing Instructions", APM 7.6.4 */
}

/* ---- instructions ---- */

static void check_image(unsigned site, const struct fetched *f)
{
    char bytes[64];
    bool whole = false;

    for (unsigned i = 0; i < 2; i++) {
        const struct image *image = world.scenario->site[site].image[i];

        if (!f->known || f->len != image->len || memcmp(f->bytes, image->bytes, f->len))
            continue;
        if (may_run(&world.sites[site], i))
            return;
        whole = true;
    }
    describe(f, bytes, sizeof(bytes));
    if (whole)
        violate(CLAUSE_STALE, "site %u ran its old instruction after the patch was finished:%s",
                site, bytes);
    else
        violate(CLAUSE_TORN, "site %u ran neither of its instructions:%s", site, bytes);
}

/* Execute the instruction at site `site`, or at FOREIGN_INT3 if there is no such site. */
static void execute(unsigned core, unsigned site)
{
    struct fetched fetches[FETCHES_MAX];
    char bytes[64];

    if (site == world.scenario->sites) {
        trace("executes the other owner's INT3");
        trap(core, site);
        return;
    }

    unsigned n = text_fetch(world.scenario->view, world.scenario->site[site].addr,
                            reader_of(core)->since, fetches);
    const struct fetched *f = &fetches[choose(n)];

    if (tracing) {
        describe(f, bytes, sizeof(bytes));
        trace("executes site %u: fetches%s", site, bytes);
    }
    if (f->bytes[0] == INT3_INSN_OPCODE)
        trap(core, site);
    else
        check_image(site, f);
}

/*
 * Interrupt, serialise, acknowledge, in one step. The IRET that follows serialises again, later;
 * that can only make fetches fresher, so leaving it out allows more.
 */
static void take_ipi(unsigned core)
{
    struct reader *r = reader_of(core);

    trace("takes the sync IPI, serialises, acknowledges");
    r->since = text_now();
    world.scenario->engine->log_ack(world.round);
    r->ipi = false;
}

/* A step of a core that is away, or on its way back. */
static void step_away(unsigned core)
{
    struct reader *r = reader_of(core);
    unsigned which = choose(1 + r->ipi + hotplug_may_interrupt(r));

    if (which == 0)
        hotplug_step(core);
    else if (which == 1 && r->ipi)
        take_ipi(core);
    else
        hotplug_interrupt(r);
}

/* One instruction, an IPI, or the first step of leaving. */
static void step_present(unsigned core, unsigned targets)
{
    bool may_leave = world.scenario->hotplug != HOTPLUG_NONE;
    unsigned which = choose(targets + may_leave + reader_of(core)->ipi);

    if (which < targets)
        execute(core, which);
    else if (which == targets && may_leave)
        hotplug_step(core);
    else
        take_ipi(core);
}

/* In an NMI on the way back: no IPI is taken. */
static void step_interrupted(unsigned core, unsigned targets)
{
    unsigned which = choose(targets + 1);

    if (which < targets)
        execute(core, which);
    else
        hotplug_step(core);
}

static void step_handler(unsigned core, unsigned targets)
{
    if (choose(1 + reader_may_nest(reader_of(core)))) {
        trace("NMI, whose handler executes patchable text");
        execute(core, choose(targets));
    } else {
        handle(core);
    }
}

void reader_step(unsigned core)
{
    const struct reader *r = reader_of(core);
    unsigned targets = world.scenario->sites + 1; /* the sites, and the other owner's INT3 */

    if (r->depth) {
        step_handler(core, targets);
        return;
    }
    switch ((enum presence)r->presence) {
    case PRESENT:
        step_present(core, targets);
        return;
    case LATE:
        hotplug_step(core);
        execute(core, choose(targets));
        return;
    case ABSENT:
    case RETURNING:
        step_away(core);
        return;
    case INTERRUPTED:
        step_interrupted(core, targets);
        return;
    }
}

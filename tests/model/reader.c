/* SPDX-License-Identifier: MIT */
/*
 * A core that executes the sites. Fetching and executing an instruction is one step: whatever
 * could be fetched earlier can be fetched then too, as fetching alone changes nothing and a core
 * that serialises drops what it had fetched. The #BP handler is the engine's, on the core's stack.
 */
#include "tests/model/choice.h"
#include "tests/model/world.h"

#include <stdio.h>
#include <string.h>

#define STACK_FILL  0x5aa5c33c00000000ull /* what the words of an unused stack begin with */
#define RETURN_ADDR 0x0badc0de12345678ull /* the word on top of the interrupted stack */

static uintptr_t addr_of(const struct reader *r)
{
    return r->foreign ? FOREIGN_INT3 : world.scenario->site[r->site].addr;
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

static void handler_main(unsigned core)
{
    struct reader *r = reader_of(core);

    r->claimed = world.scenario->engine->handler(&r->regs);
    r->returned = true;
    world_yield();
}

/* The INT3 of site `site`, or of another owner, was fetched and executed: deliver #BP. */
static void trap(unsigned core, unsigned site)
{
    const struct scenario *s = world.scenario;
    struct reader *r = reader_of(core);
    bool conditional = false;

    r->foreign = site == s->sites;
    r->owned = r->foreign;
    r->site = (uint8_t)site;
    for (unsigned i = 0; i < 2 && !r->foreign; i++) {
        const struct image *image = s->site[site].image[i];

        conditional |= image_is_conditional(image);
        r->owned |= image->kind == IMAGE_INT3 && may_run(&world.sites[site], i);
    }
    for (unsigned i = 0; i < READER_STACK; i++)
        r->stack[i] = STACK_FILL + i;
    r->stack[READER_STACK / 2] = RETURN_ADDR;
    r->flags = choose(conditional ? 2 : 1) ? FLAG_ZF : 0;
    r->regs = (struct poke_regs){
        .ip = addr_of(r) + INT3_INSN_SIZE,
        .sp = (uintptr_t)&r->stack[READER_STACK / 2],
        .flags = r->flags,
    };
    r->handling = true;
    r->returned = false;
    world_start(core, handler_main);
}

/* Did the emulation do what the image that is on its way does? */
static void check_flow(const struct reader *r, const struct image *image)
{
    const struct flow want = image_run(image, addr_of(r), r->flags, RETURN_ADDR);
    unsigned sp = (unsigned)(READER_STACK / 2 + want.sp_words);

    if (r->regs.ip != want.ip)
        violate(CLAUSE_FLOW, "%s of site %u emulated: goes to %#lx instead of %#lx", image->name,
                r->site, r->regs.ip, want.ip);
    if (r->regs.sp != (uintptr_t)&r->stack[sp])
        violate(CLAUSE_FLOW, "%s of site %u emulated: wrong stack pointer", image->name, r->site);
    if (r->regs.flags != r->flags)
        violate(CLAUSE_FLOW, "%s of site %u emulated: flags changed", image->name, r->site);
    for (unsigned i = 0; i < READER_STACK; i++) {
        uint64_t word = i == READER_STACK / 2 ? RETURN_ADDR : STACK_FILL + i;

        if (i == sp && want.sp_words < 0)
            word = want.pushed;
        if (r->stack[i] != word)
            violate(CLAUSE_FLOW, "%s of site %u emulated: stack word %d is %#lx instead of %#lx",
                    image->name, r->site, (int)i - READER_STACK / 2, r->stack[i], word);
    }
}

static void check_handled(const struct reader *r)
{
    if (!r->claimed) {
        if (!r->owned)
            violate(CLAUSE_ORPHAN, "nobody claims the INT3 of site %u", r->site);
        return;
    }
    if (r->foreign) {
        violate(CLAUSE_FOREIGN, "the engine claims another owner's INT3");
        return;
    }

    const struct site_state *state = &world.sites[r->site];
    const struct image *image =
        world.scenario->site[r->site].image[state->patching ? state->pending : state->current];

    if (image->kind == IMAGE_INT3)
        violate(CLAUSE_FOREIGN, "the engine claims site %u's INT3, which is the new instruction",
                r->site);
    else
        check_flow(r, image);
}

void reader_handle(unsigned core)
{
    struct reader *r = reader_of(core);

    world.idle_waits = 0;
    world_run(core);
    if (!r->returned)
        return;
    trace("#BP handler: %s; IRET to %#lx", r->claimed ? "emulated" : "not ours", r->regs.ip);
    check_handled(r);
    r->handling = false;
    r->since = text_now(); /* IRET serialises: SDM vol 3A "Serializing Instructions", APM 7.6.4 */
}

/* ---- instructions ---- */

static void check_image(unsigned site, const struct fetched *f, const char *bytes)
{
    bool whole = false;

    for (unsigned i = 0; i < 2; i++) {
        const struct image *image = world.scenario->site[site].image[i];

        if (!f->known || f->len != image->len || memcmp(f->bytes, image->bytes, f->len))
            continue;
        if (may_run(&world.sites[site], i))
            return;
        whole = true;
    }
    if (whole)
        violate(CLAUSE_STALE, "site %u ran its old instruction after the patch was finished:%s",
                site, bytes);
    else
        violate(CLAUSE_TORN, "site %u ran neither of its instructions:%s", site, bytes);
}

void reader_execute(unsigned core, unsigned site)
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

    describe(f, bytes, sizeof(bytes));
    trace("executes site %u: fetches%s", site, bytes);
    if (f->bytes[0] == INT3_INSN_OPCODE)
        trap(core, site);
    else
        check_image(site, f, bytes);
}

/*
 * Interrupt, serialise, acknowledge, in one step. The IRET that follows serialises again, later;
 * that can only make fetches fresher, so leaving it out allows more.
 */
void reader_take_ipi(unsigned core)
{
    struct reader *r = reader_of(core);

    trace("takes the sync IPI, serialises, acknowledges");
    r->since = text_now();
    world.scenario->engine->log_ack(world.round);
    r->ipi = false;
}

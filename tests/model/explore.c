/* SPDX-License-Identifier: MIT */
#include "tests/model/explore.h"

#include "tests/model/choice.h"
#include "tests/model/state.h"
#include "tests/model/state_set.h"
#include "tests/model/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP_CHOICES 9 /* most in one step */

/* A state: how it was reached, and the state itself until it is expanded. */
struct node {
    struct packed *packed;
    uint32_t parent;
    uint16_t depth; /* steps from the start */
    uint8_t made;   /* choices of the step from the parent */
    uint8_t values[STEP_CHOICES];
};

struct frontier {
    struct node *nodes;
    size_t count, room;
};

static void append(struct frontier *f, struct node node)
{
    if (f->count == f->room) {
        f->room = f->room ? 2 * f->room : 4096;
        f->nodes = realloc(f->nodes, f->room * sizeof(*f->nodes));
        if (!f->nodes)
            abort();
    }
    f->nodes[f->count++] = node;
}

/* The state in which the step ended that has just been made, from node `parent`. */
static struct node reached(size_t parent, unsigned depth)
{
    struct node node = { .packed = state_pack(),
                         .parent = (uint32_t)parent,
                         .depth = (uint16_t)depth,
                         .made = (uint8_t)choices.made };

    if (choices.made > STEP_CHOICES || depth > UINT16_MAX)
        abort();
    memcpy(node.values, choices.value, choices.made);
    return node;
}

static void keep(struct counterexample *c, const struct scenario *s, unsigned steps, unsigned made)
{
    c->violation = violation;
    c->scenario = *s;
    c->steps = steps;
    c->made = made;
    c->values = malloc(made + 1);
    if (!c->values)
        abort();
    memcpy(c->values + made - choices.made, choices.value, choices.made);
}

/* Keep the run to node `index`, and then the step that has just been made. */
static void keep_path(struct counterexample *c, const struct frontier *f, size_t index,
                      const struct scenario *s)
{
    unsigned made = 0;

    for (size_t i = index; i; i = f->nodes[i].parent)
        made += f->nodes[i].made;
    keep(c, s, f->nodes[index].depth + 1u, made + choices.made);
    for (size_t i = index; i; i = f->nodes[i].parent) {
        made -= f->nodes[i].made;
        memcpy(c->values + made, f->nodes[i].values, f->nodes[i].made);
    }
}

/*
 * Make every step from node `index`, and add the states that are new to the nodes. False if enough
 * has been violated.
 */
static bool expand(struct frontier *f, size_t index, const struct scenario *s, unsigned enough,
                   struct state_set *seen, struct exploration *out)
{
    unsigned depth = f->nodes[index].depth + 1u;

    state_unpack(f->nodes[index].packed);
    state_save();
    choices.fixed = 0;
    do {
        choices.made = 0;
        state_restore();
        world_step();
        out->steps++;
        out->finished |= world_done();
        if (!violation.seen) {
            if (state_set_add(seen, state_hash()))
                append(f, reached(index, depth));
            continue;
        }
        if (!out->clauses)
            keep_path(&out->first, f, index, s);
        out->clauses |= 1u << violation.clause;
        if (enough && (out->clauses & enough) == enough)
            return false;
    } while (choices_next());
    return true;
}

void explore(const struct scenario *s, unsigned enough, struct exploration *out)
{
    struct frontier f = { 0 };
    struct state_set seen = { 0 };
    bool go_on = true;
    size_t i = 0;

    *out = (struct exploration){ 0 };
    choices.prng = NULL;
    choices.made = 0;
    world_reset(s);
    append(&f, reached(0, 0));
    for (; i < f.count && f.count <= EXPLORE_MAX && go_on; i++) {
        go_on = expand(&f, i, s, enough, &seen, out);
        free(f.nodes[i].packed);
    }
    out->complete = f.count <= EXPLORE_MAX;
    out->states = f.count;
    for (; i < f.count; i++)
        free(f.nodes[i].packed);
    state_set_free(&seen);
    free(f.nodes);
}

#define WALK_STEPS 40000 /* a walk that takes longer ends there */
#define WALK_AFTER 40    /* steps after the patchers are done */

bool walk(const struct scenario *s, struct prng *prng, struct walks *walks,
          struct counterexample *out)
{
    unsigned after = 0;
    unsigned n = 0;

    choices.prng = prng;
    choices.made = choices.fixed = 0;
    world_reset(s);
    while (n < WALK_STEPS && after < WALK_AFTER && !violation.seen) {
        world_step();
        n++;
        after += world_done();
    }
    choices.prng = NULL;
    walks->count++;
    walks->steps += n;
    if (!violation.seen) {
        walks->cut += !world_done();
        return true;
    }
    keep(out, s, n, choices.made);
    return false;
}

void counterexample_print(const struct counterexample *c)
{
    const struct scenario *s = &c->scenario;

    printf("  %s, view %s, %u patching and %u executing core%s\n", s->name,
           s->view == VIEW_ANY ? "any" : "vendor", s->patchers, s->readers,
           s->readers == 1 ? "" : "s");
    if (s->hotplug)
        puts("  executing cores leave and come back");
    if (s->nmi)
        puts("  NMIs interrupt #BP handlers and execute sites");
    printf("  protocol %s; t counts stores; 0f@2: byte 0f, as it was after 2 stores\n",
           s->protocol ? s->protocol->name : "int3");
    for (unsigned i = 0; i < s->sites; i++)
        printf("  site %u at %#lx, cores execute it all the time: %s, to become %s\n", i,
               s->site[i].addr, s->site[i].image[0]->name, s->site[i].image[1]->name);
    choices.prng = NULL;
    choices.made = 0;
    choices.fixed = c->made;
    memcpy(choices.value, c->values, c->made);
    world_reset(s);
    tracing = true;
    for (unsigned i = 0; i < c->steps; i++)
        world_step();
    tracing = false;
}

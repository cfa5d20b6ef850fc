/* SPDX-License-Identifier: MIT */
#include "tests/model/explore.h"

#include "tests/model/choice.h"
#include "tests/model/state_set.h"
#include "tests/model/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP_CHOICES 9 /* most in one step */

/* A state, as the way to it: its parent's, and one step with these choices. */
struct node {
    uint32_t parent;
    uint16_t depth; /* steps from the start */
    uint8_t made;
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

/* Prescribe the choices that lead to node `index`. Returns how many they are. */
static unsigned prescribe(const struct frontier *f, size_t index)
{
    unsigned length = 0;

    for (size_t i = index; i; i = f->nodes[i].parent)
        length += f->nodes[i].made;
    choices.fixed = length;
    for (size_t i = index; i; i = f->nodes[i].parent) {
        length -= f->nodes[i].made;
        memcpy(choices.value + length, f->nodes[i].values, f->nodes[i].made);
    }
    return choices.fixed;
}

static void go_to(const struct frontier *f, size_t index, const struct scenario *s)
{
    choices.prng = NULL;
    choices.made = 0;
    prescribe(f, index);
    world_reset(s);
    for (unsigned i = 0; i < f->nodes[index].depth; i++)
        world_step();
}

static void keep(struct counterexample *c, const struct scenario *s, unsigned steps)
{
    c->violation = violation;
    c->scenario = *s;
    c->steps = steps;
    c->made = choices.made;
    c->values = malloc(choices.made + 1);
    if (!c->values)
        abort();
    memcpy(c->values, choices.value, choices.made);
}

static struct node child(size_t parent, unsigned depth, unsigned first)
{
    struct node node = { .parent = (uint32_t)parent,
                         .depth = (uint16_t)depth,
                         .made = (uint8_t)(choices.made - first) };

    if (node.made > STEP_CHOICES || depth > UINT16_MAX)
        abort();
    memcpy(node.values, choices.value + first, node.made);
    return node;
}

/*
 * Make every step from node `index`, and add the states that are new to the nodes. False if enough
 * has been violated.
 */
static bool expand(struct frontier *f, size_t index, const struct scenario *s, unsigned enough,
                   struct state_set *seen, struct exploration *out)
{
    go_to(f, index, s);
    world_save();

    unsigned first = choices.made;
    unsigned depth = f->nodes[index].depth + 1u;

    do {
        choices.made = first;
        world_restore();
        world_step();
        out->steps++;
        out->finished |= world_done();
        if (!violation.seen) {
            if (state_set_add(seen, world_hash()))
                append(f, child(index, depth, first));
            continue;
        }
        if (!out->clauses)
            keep(&out->first, s, depth);
        out->clauses |= 1u << violation.clause;
        if (enough && (out->clauses & enough) == enough)
            return false;
    } while (choices_next(first));
    return true;
}

void explore(const struct scenario *s, unsigned enough, struct exploration *out)
{
    struct frontier f = { 0 };
    struct state_set seen = { 0 };
    size_t i = 0;

    *out = (struct exploration){ 0 };
    append(&f, (struct node){ 0 });
    while (i < f.count && f.count <= EXPLORE_MAX)
        if (!expand(&f, i++, s, enough, &seen, out))
            break;
    out->complete = f.count <= EXPLORE_MAX;
    out->states = f.count;
    state_set_free(&seen);
    free(f.nodes);
}

#define WALK_STEPS 20000 /* a walk that takes longer ends there */
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
    keep(out, s, n);
    return false;
}

void counterexample_print(const struct counterexample *c)
{
    const struct scenario *s = &c->scenario;

    printf("  %s, view %s, %u patching and %u executing core%s\n", s->name,
           s->view == VIEW_ANY ? "any" : "vendor", s->patchers, s->readers,
           s->readers == 1 ? "" : "s");
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

/* SPDX-License-Identifier: MIT */
/*
 * One closed experiment: sites with their images, what the patchers do in program order, how many
 * cores execute the sites. Every reader executes any site at any time, for ever.
 *
 * Cores are numbered patchers first, then readers.
 */
#ifndef TESTS_MODEL_SCENARIO_H
#define TESTS_MODEL_SCENARIO_H

#include "kernel/lib/prng.h"
#include "tests/model/engine.h"
#include "tests/model/text.h"

#define MAX_PATCHERS 2
#define MAX_READERS  6
#define MAX_CORES    (MAX_PATCHERS + MAX_READERS)
#define MAX_SITES    6
#define MAX_OPS      32

struct site {
    uintptr_t addr;
    const struct image *image[2];   /* [0] stands there at first */
    const struct image *emulate[2]; /* what INT3 stands for while image[i] is put there */
};

enum op_kind { OP_END, OP_LOCK, OP_UNLOCK, OP_ADD, OP_FINISH, OP_SINGLE };

struct op {
    uint8_t kind; /* enum op_kind */
    uint8_t site;
    uint8_t image;
};

/* How cores that execute leave and come back in the middle of a patch. */
enum hotplug {
    HOTPLUG_NONE,             /* all of them stay */
    HOTPLUG_RIGHT,            /* as poke/machine.h demands */
    HOTPLUG_LATE,             /* they execute one more instruction when they are marked as away */
    HOTPLUG_UNSERIALISED,     /* they come back without serialising */
    HOTPLUG_UNSERIALISED_NMI, /* an NMI on the way back does not serialise for itself */
    HOTPLUG_SERIALISE_FIRST,  /* they serialise before they are marked as here */
    HOTPLUG_EARLY_LOOK,       /* a sync asks who was here before the step's stores */
};

struct scenario {
    char name[80]; /* "nop5<->call 2|3" */
    enum view view;
    const struct engine *engine;
    const struct poke_protocol *protocol; /* NULL: the engine's own */
    enum hotplug hotplug;
    bool nmi; /* NMIs interrupt #BP handlers and execute sites */
    unsigned patchers, readers, sites;
    struct site site[MAX_SITES];
    struct op program[MAX_PATCHERS][MAX_OPS]; /* ends with OP_END */
};

/* Another owner's breakpoint, which readers execute too. */
#define FOREIGN_INT3 ((uintptr_t)model_text + 16)

enum scenario_set {
    SET_SINGLE,  /* every transition at every placement: there and back again */
    SET_BATCH,   /* two sites: one batch, then one queued in descending order */
    SET_QUEUE,   /* two patchers: one's single poke meets what the other has queued */
    SET_HOTPLUG, /* SET_SINGLE (with one reader) and SET_BATCH while cores leave and come back */
    SET_NMI,     /* SET_SINGLE and SET_BATCH while NMIs interrupt #BP handlers */
    SETS
};

/*
 * Scenario number `index` of a set, for `readers` cores that execute; false if there are no more.
 * Placements differ only where the view can tell.
 */
bool scenario_at(enum scenario_set set, unsigned index, enum view view, unsigned readers,
                 struct scenario *s);

/*
 * A random one: up to MAX_READERS cores that execute, up to MAX_SITES sites, programs of random
 * calls by one or two patchers.
 */
void scenario_random(struct prng *prng, enum view view, const struct engine *engine,
                     const struct poke_protocol *protocol, struct scenario *s);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The simulated machine between two steps, and the steps. One step is what one core does without
 * another core being able to see a difference: up to the next access to a shared word, store to
 * text, or wait; an executed instruction; an IPI taken; a #BP handler's next access, or an NMI
 * that interrupts it; leaving, being online again, serialising on the way back.
 */
#ifndef TESTS_MODEL_WORLD_H
#define TESTS_MODEL_WORLD_H

#include "tests/model/coroutine.h"
#include "tests/model/oracle.h"
#include "tests/model/scenario.h"

struct patcher {
    bool done;
    bool syncing; /* waits for acknowledgements */
};

#define READER_STACK 16 /* words, the interrupted stack pointer in the middle */

/* One #BP, from the trap to the IRET. */
struct trap {
    bool returned;  /* the handler has: IRET comes next */
    bool claimed;   /* what it returned */
    bool owned;     /* when the INT3 was fetched, it was another owner's */
    bool foreign;   /* it is the one at FOREIGN_INT3 */
    uint8_t site;   /* it is the one of this site */
    uint64_t flags; /* when the INT3 was executed */
    struct poke_regs regs;
    uint64_t stack[READER_STACK];
};

#define TRAPS_MAX 2 /* the #BP handler, and one more in an NMI that interrupts it */

enum presence {
    PRESENT,
    ABSENT,      /* away: it executes nothing, and no sync asks it */
    RETURNING,   /* between the two steps of its way back */
    INTERRUPTED, /* there, in an NMI, which executes sites */
    LATE,        /* a fault: away, but about to execute one more instruction */
};

struct reader {
    bool ipi;         /* a sync was requested and is not acknowledged */
    uint8_t presence; /* enum presence */
    uint8_t depth;    /* #BP handlers that run; interrupts are off if not 0 */
    unsigned since;   /* when this core last serialised */
    struct trap traps[TRAPS_MAX];
};

/* What the oracle knows of a site. Written by the patchers' programs. */
struct site_state {
    uint8_t current; /* the image that is there when no patch is pending */
    uint8_t pending; /* the image that is on its way, if `patching` */
    bool patching;
};

struct world {
    const struct scenario *scenario;
    unsigned actor; /* the core that runs */
    /* Published and not retired: handlers may read it, the patcher may not write. */
    bool table_open[POKE_TABLES];
    unsigned idle_waits; /* waits for references in a row while no core runs a handler */
    uint64_t round;      /* of the last sync */
    const char *phase;   /* of the batch that runs */
    unsigned looked;     /* bit (1 << reader): online at the patcher's early look, a fault */
    struct patcher patchers[MAX_PATCHERS];
    struct reader readers[MAX_READERS];
    struct site_state sites[MAX_SITES];
    struct poke_core cores[MAX_CORES];
    struct coroutine runs[MAX_CORES][TRAPS_MAX]; /* a patcher has one */
    unsigned shown_pages;
    uintptr_t shown[4]; /* the pages in the window */
};
extern struct world world;

static inline unsigned world_cores(void)
{
    return world.scenario->patchers + world.scenario->readers;
}

static inline bool is_reader(unsigned core)
{
    return core >= world.scenario->patchers;
}

static inline struct reader *reader_of(unsigned core)
{
    return &world.readers[core - world.scenario->patchers];
}

/* Begin: initial text, the engine's variables as loaded, patchers at their start. */
void world_reset(const struct scenario *s);

/* Do one step, chosen by choose(). */
void world_step(void);

/* Have all patchers finished their programs? */
bool world_done(void);

/* How many stacks of this core, the first of world.runs[core], hold something that will go on. */
unsigned world_stacks(unsigned core);

/* Is `addr` in a site's slot? Then which, and which byte of it. For traces. */
bool world_site_at(uintptr_t addr, unsigned *site, unsigned *byte);

/*
 * From a coroutine: let others run. From the explorer: start, and go on with, what core `core`
 * runs: a patcher's program, or the innermost #BP handler.
 */
void world_yield(void);
void world_start(unsigned core, void (*entry)(unsigned));
void world_run(unsigned core);

/* ---- the cores' parts (patcher.c, reader.c, hotplug.c) ---- */

void patcher_main(unsigned core);

/* One step of a core that executes, chosen by choose(). */
void reader_step(unsigned core);
/* Can an NMI come now whose handler executes a site, while a #BP handler runs? */
bool reader_may_nest(const struct reader *r);

/* Is it here, not away, as the machine's sync and the engine see it? */
bool hotplug_online(const struct reader *r);
/* All that are: bit (1 << reader). */
unsigned hotplug_online_readers(void);
/* Is it away, and will serialise before it executes anything? */
bool hotplug_will_serialise(const struct reader *r);
/* Can an NMI come now, on its way back? */
bool hotplug_may_interrupt(const struct reader *r);
/* The NMI. It executes sites until the next hotplug_step(). */
void hotplug_interrupt(struct reader *r);
/* The next step of a core that leaves or comes back. */
void hotplug_step(unsigned core);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The simulated machine between two steps, and the steps. One step is what one core does without
 * another core being able to see a difference: up to the next access to a shared word, store to
 * text, or wait; an executed instruction; an IPI taken; a #BP handler's next access.
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

struct reader {
    bool ipi;       /* a sync was requested and is not acknowledged */
    bool handling;  /* inside the #BP handler, interrupts off */
    bool returned;  /* the handler has: IRET comes next */
    bool claimed;   /* what it returned */
    bool owned;     /* when the INT3 was fetched, it was another owner's */
    bool foreign;   /* it is the one at FOREIGN_INT3 */
    uint8_t site;   /* it is the one of this site */
    unsigned since; /* when this core last serialised */
    uint64_t flags; /* when the INT3 was executed */
    struct poke_regs regs;
    uint64_t stack[READER_STACK];
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
    bool
        table_open; /* published and not retired: handlers may read it, the patcher may not write */
    unsigned idle_waits; /* waits for references in a row while no core runs a handler */
    uint64_t round;      /* of the last sync */
    const char *phase;   /* of the batch that runs */
    struct patcher patchers[MAX_PATCHERS];
    struct reader readers[MAX_READERS];
    struct site_state sites[MAX_SITES];
    struct poke_core cores[MAX_CORES];
    struct coroutine runs[MAX_CORES];
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

/* Hash of everything that the future depends on. After world_save(). */
uint64_t world_hash(void);

/* Remember the present state, and go back to it. There is one such place. */
void world_save(void);
void world_restore(void);

/* Is `addr` in a site's slot? Then which, and which byte of it. For traces. */
bool world_site_at(uintptr_t addr, unsigned *site, unsigned *byte);

/* From a coroutine: let others run. From the explorer: start, and go on with, core `core`. */
void world_yield(void);
void world_start(unsigned core, void (*entry)(unsigned));
void world_run(unsigned core);

/* ---- the cores' parts (patcher.c, reader.c) ---- */

void patcher_main(unsigned core);

/* Execute the instruction at site `site`, or at FOREIGN_INT3 if there is no such site. */
void reader_execute(unsigned core, unsigned site);
void reader_take_ipi(unsigned core);
/* One step of the #BP handler; at its end the IRET. */
void reader_handle(unsigned core);

#endif

/* SPDX-License-Identifier: MIT */
/* Floors: what nothing that is built from these operations can fall below on this machine. */
#ifndef TESTS_LATENCY_FLOOR_H
#define TESTS_LATENCY_FLOOR_H

#include <stdbool.h>

/*
 * One operation. `begin` and `end` (or NULL) are called around a sample, outside of its time; a
 * sample is `operations` calls of `run`. `exists` (NULL: everywhere): has this machine got it?
 */
struct floor {
    const char *name; /* its figure is "floor.NAME" */
    const char *what; /* what is measured, one line */
    unsigned operations;
    void (*run)(void);
    bool (*exists)(void);
    void (*begin)(void);
    void (*end)(void);
};

/* Of this core alone, and those that ask others; each list ends with a name of NULL. */
extern const struct floor floors_local[];
extern const struct floor floors_remote[];

/*
 * What the remote ones need: text, and a core that answers. False: no memory, or the engine
 * refused. Boot core, text_mutex not held.
 */
bool floors_remote_build(void);
/* What that core has to do all the time. */
void floors_remote_serve(void);
/* Operations that were given up since floors_remote_build(), nobody having answered in time. */
unsigned floors_remote_unanswered(void);

#endif

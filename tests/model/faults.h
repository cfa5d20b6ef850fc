/* SPDX-License-Identifier: MIT */
/*
 * The faults that the model has to find: wrong rows of steps, and engines with one file replaced
 * by a twin that is broken on purpose (tests/twins/).
 */
#ifndef TESTS_MODEL_FAULTS_H
#define TESTS_MODEL_FAULTS_H

#include "tests/model/oracle.h"
#include "tests/model/scenario.h"

struct fault {
    const char *name;
    const char *what;
    const struct engine *engine;          /* NULL: the real one */
    const struct poke_protocol *protocol; /* NULL: the engine's own */
    enum hotplug hotplug;                 /* HOTPLUG_NONE: as the set has it */
    enum scenario_set set;                /* where it is looked for */
    unsigned clauses[VIEWS];              /* bit (1 << clause): what is expected; 0: it is safe */
};

extern const struct fault faults[];
extern const unsigned fault_count;

#endif

/* SPDX-License-Identifier: MIT */
#ifndef TESTS_LIB_TABLE_REFS_H
#define TESTS_LIB_TABLE_REFS_H

#include "poke/machine.h"

/*
 * References to the engine's tables on a core: one for each table that is published, and one for
 * each handler that reads one. A look from outside; any context.
 */
static inline uint32_t table_refs(unsigned core)
{
    const struct poke_core *c = machine_poke_core(core);
    uint32_t sum = 0;

    for (unsigned i = 0; i < POKE_TABLES; i++)
        sum += load_acquire(&c->refs[i]);
    return sum;
}

#endif

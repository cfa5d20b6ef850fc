/* SPDX-License-Identifier: MIT */
#include "tests/lib/own_breakpoints.h"

#include <stddef.h>

#include "kernel/lib/atomic.h"

static trap_handler engine, test_handler;
static uint64_t taken; /* every core adds */

static bool dispatch(struct trap_frame *frame)
{
    if (engine(frame))
        return true;
    if (!test_handler(frame))
        return false;
    fetch_add(&taken, 1);
    return true;
}

void own_breakpoints_begin(trap_handler mine)
{
    taken = 0;
    test_handler = mine;
    /* The engine's handler is known before it can be needed: the exchange is a full barrier. */
    engine = trap_set_handler(TRAP_BP, NULL);
    trap_set_handler(TRAP_BP, dispatch);
}

uint64_t own_breakpoints_end(void)
{
    trap_set_handler(TRAP_BP, engine);
    return fetch_add(&taken, 0);
}

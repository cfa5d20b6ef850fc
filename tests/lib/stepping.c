/* SPDX-License-Identifier: MIT */
#include "tests/lib/stepping.h"

#include <stddef.h>

#define RFLAGS_TF (1ull << 8)

/* In stepping.asm: behind the instruction that ends the stepping, the last one with a #DB. */
extern const uint8_t step_call_end[];

static step_hook hook;

/*
 * Not by DR6, which says the same: an NMI between the trap and the reading of it may step code of
 * its own, and clear it.
 */
static bool on_debug(struct trap_frame *frame)
{
    if (!(frame->rflags & RFLAGS_TF) && frame->rip != (uint64_t)step_call_end)
        return false;
    hook(frame);
    return true;
}

void stepping_begin(step_hook h)
{
    hook = h;
    trap_set_handler(TRAP_DB, on_debug);
}

void stepping_end(void)
{
    trap_set_handler(TRAP_DB, NULL);
}

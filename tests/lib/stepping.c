/* SPDX-License-Identifier: MIT */
#include "tests/lib/stepping.h"

#include <stddef.h>

#include "kernel/cpu/regs.h"

#define DR6_BS (1ull << 14) /* set by the processor, cleared by nobody but the handler */

READ_REG(dr6, "dr6")
WRITE_REG(dr6, "dr6")

static step_hook hook;

static bool on_debug(struct trap_frame *frame)
{
    uint64_t dr6 = read_dr6();

    if (!(dr6 & DR6_BS))
        return false;
    write_dr6(dr6 & ~DR6_BS);
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

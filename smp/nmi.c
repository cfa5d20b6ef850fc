/* SPDX-License-Identifier: MIT */
/*
 * Non-maskable interrupts. They carry no sender: the machine's end is asked for first, then the
 * core's hook. One with neither (the platform's, or two that merged) is counted and not fatal.
 */
#include "smp/internal.h"
#include "smp/smp.h"

#include "kernel/lib/atomic.h"

bool nmi_handler(struct trap_frame *frame)
{
    struct percpu *self = this_cpu();

    /* Locked: an NMI may nest here after the IRET of a #BP in the hook. */
    fetch_add(&self->nmi_count, 1);
    stop_if_asked(frame);

    run_hook(self, &self->nmi_hook);
    idle_leave(frame);
    return true;
}

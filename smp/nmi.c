/* SPDX-License-Identifier: MIT */
/*
 * Non-maskable interrupts. They carry no sender: the machine's end is asked for first, then the
 * core's hook.
 *
 * One that nobody here has sent is the platform's: a failing device or memory, a management
 * controller, somebody's button. It is counted, and is not fatal. Of two that we send at about the
 * same time the processor may deliver one: then a foreign one could pass as ours until
 * health_settle_nmis().
 */
#include "smp/internal.h"
#include "smp/smp.h"

#include "kernel/lib/atomic.h"

/* Before the hook, so no NMI nests in here: NMIs are blocked until an IRET. */
static void count(struct percpu *self)
{
    self->nmi_count++;
    /* Pairs with the locked increment in smp_send_nmi(), before the interrupt is sent. */
    if (self->nmi_known != load_acquire(&self->nmi_sent))
        self->nmi_known++;
    else
        self->nmi_unexpected++;
}

bool nmi_handler(struct trap_frame *frame)
{
    struct percpu *self = this_cpu();

    count(self);
    stop_if_asked(frame);

    run_hook(self, &self->nmi_hook);
    idle_leave(frame);
    return true;
}

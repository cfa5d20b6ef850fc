/* SPDX-License-Identifier: MIT */
/*
 * The boot core's way back to the loader when a panic or a hang has ended the machine: the firmware
 * is called on the boot core only. It may be in an NMI handler, because another core has stopped
 * it; below that in any handler, or with the window of text_poke open. All that is abandoned. The
 * firmware must find no NMI blocked, no interrupt of ours in service (which would hold its timer
 * back for ever) and none pending (it has no handlers for our vectors).
 *
 * Shared word: `ended` is written by the core that ended the machine, release, when the report is
 * complete; the boot core acquires it.
 */
#include "smp/internal.h"
#include "smp/smp.h"

#include "kernel/cpu/iret.h"
#include "kernel/cpu/regs.h"
#include "kernel/leave.h"
#include "kernel/lib/atomic.h"
#include "smp/apic.h"

static uint32_t ended; /* enum exit_code; 0: the report is not complete */

static bool end_interrupt(struct trap_frame *frame)
{
    (void)frame;
    apic_eoi();
    return true;
}

static bool ignore(struct trap_frame *frame)
{
    (void)frame;
    return true;
}

/* The cores that did not answer the NMI must not run on in memory that is given back. */
static void reset_silent_cores(void)
{
    for (unsigned i = 1; i < smp_possible(); i++) {
        if (percpu_is_running(i) && !load_acquire(&percpu(i)->stop.stopped) && i != cpu_index())
            apic_send(percpu(i)->apic_id, APIC_INIT);
    }
}

static _Noreturn void boot_core_leaves(enum exit_code code)
{
    irq_disable();
    for (unsigned vector = VECTOR_TIMER; vector <= VECTOR_TEST; vector++)
        trap_set_handler(vector, end_interrupt);
    trap_set_handler(TRAP_NMI, ignore);
    iret_to_next(); /* NMIs are blocked up to the next IRET, if this is an NMI's handler */
    apic_end_all();
    apic_restore();
    leave_for_good(code);
}

void way_back_wait(void)
{
    uint32_t code;

    while (!(code = load_acquire(&ended))) /* pairs with the release in way_back_go() */
        cpu_relax();
    boot_core_leaves((enum exit_code)code);
}

void way_back_go(enum exit_code code)
{
    reset_silent_cores();
    if (cpu_index() == 0)
        boot_core_leaves(code);
    store_release(&ended, code); /* pairs with the acquire in way_back_wait() */
    halt_for_ever();
}

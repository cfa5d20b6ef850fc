/* SPDX-License-Identifier: MIT */
/* The boot core's local APIC, and who takes each vector of ours. */
#include "smp/internal.h"
#include "smp/smp.h"

#include "kernel/leave.h"
#include "kernel/lib/fixed_text.h"
#include "smp/apic.h"
#include "smp/watchdog.h"

/* No EOI: a spurious interrupt sets no in-service bit (SDM vol 3A, "Spurious Interrupt"). */
FIXED_TEXT static bool spurious_handler(struct trap_frame *frame)
{
    (void)frame;
    return true;
}

void smp_apic_init(void)
{
    trap_set_handler(TRAP_NMI, nmi_handler);
    trap_set_handler(VECTOR_TIMER, timer_handler);
    trap_set_handler(VECTOR_CALL, call_handler);
    trap_set_handler(VECTOR_SYNC, sync_handler);
    trap_set_handler(VECTOR_WAKE, work_wake_handler);
    trap_set_handler(VECTOR_SPURIOUS, spurious_handler);
    trap_set_first(quiescent_leave);
    panic_set_stop_others(stop_for_panic);

    apic_save();
    leave_set_way_back(way_back_go);
    apic_enable();
    apic_timer_calibrate();
    watchdog_start_core();
}

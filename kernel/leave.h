/* SPDX-License-Identifier: MIT */
/*
 * The kernel's ways back to the loader in the middle: between two slices of a run, to go on
 * afterwards; and for good, when the machine has ended and a report may still be saved.
 */
#ifndef KERNEL_LEAVE_H
#define KERNEL_LEAVE_H

#include "kernel/exit.h"

struct cpu_local;
struct cpu_tables;

/*
 * Let the loader write what the report has gained, and come back. Boot core, thread context on the
 * boot stack, interrupts off, all other cores stopped, the local APIC given back. Afterwards this
 * core has its control registers, tables, traps (`tables`, `local`) and DR7 again; the APIC is the
 * caller's to take.
 */
void leave_for_now(struct cpu_tables *tables, struct cpu_local *local);

/*
 * End the run with `code` from whatever state a panic or a hang left: under QEMU by the debug exit;
 * else back to the loader, which writes the report, if this has not been tried yet; else halt. The
 * other cores are stopped and the report is complete. Any core, any context.
 */
_Noreturn void leave_ended(enum exit_code code);

/*
 * smp/ registers how the boot core gets from any core and any context to leave_for_good(). NULL at
 * boot, when the boot core is alone and has not touched its APIC.
 */
void leave_set_way_back(void (*way_back)(enum exit_code code));

/* Boot core: to the loader with `code`, not to come back. The APIC is given back. */
_Noreturn void leave_for_good(enum exit_code code);

#endif

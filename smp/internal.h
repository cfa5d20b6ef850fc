/* SPDX-License-Identifier: MIT */
/* What the files of smp/ share with each other; the other rooms include smp.h. */
#ifndef SMP_INTERNAL_H
#define SMP_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/exit.h"
#include "kernel/trap/trap.h"
#include "smp/percpu.h"

/* ---- percpu.c ---- */

/* Room for `others` blocks beside the boot core's. Once. False if memory is short. */
bool percpu_reserve(unsigned others);
/* The next block, with its index and APIC id; there is room. */
struct percpu *percpu_add(uint32_t apic_id);
/* The block of the core with this APIC id, or NULL. */
struct percpu *percpu_find(uint32_t apic_id);

/* ---- state.c ---- */

/* "idle" and the like, for reports. */
const char *cpu_state_name(enum cpu_state state);
/* Does the core execute our code: is it online, or parked? Any context. */
bool percpu_is_running(unsigned core);

/* ---- identify.c ---- */

/* Fill in package, core, thread, kind and features of this core's block. On the core itself. */
void identify_core(struct percpu *cpu);

/* ---- topology.c ---- */

/* `failed` cores did not start; `note` becomes smp_topology()->note, a long-lived sentence. */
void topology_set_failed(unsigned failed, const char *note);

/* ---- ap.c ---- */

/* Control registers of the boot core, which every other core takes over. */
struct ap_registers {
    uint64_t cr0, cr3, cr4, efer, pat, xcr0;
};
/* Keep this core's values for ap_main(). Boot core. */
const struct ap_registers *ap_registers_capture(void);
/* First C function of a started core, on its own stack, interrupts off, GS not set. */
_Noreturn void ap_main(void);

/* ---- trampoline.c ---- */

/*
 * Put the trampoline into the low pages and map them; `stacks` are `count` stack tops, taken in the
 * order in which the cores arrive. False if the pages cannot be mapped; nothing is changed then.
 */
bool trampoline_install(uint64_t low_phys, const struct ap_registers *registers,
                        const uint64_t *stacks, unsigned count);
/* Unmap it again, on all cores. */
void trampoline_remove(uint64_t low_phys);

/* ---- tsc_offset.c ---- */

/* Measure every online core's TSC against this one's. Boot core, the others idle. */
void tsc_offset_measure(void);
/* machine_clock_skew(). */
uint64_t tsc_offset_skew(void);

/* ---- ipi.c ---- */

/*
 * Whom question `number` has to ask now, beside this core: cross-calls all that are online, core
 * syncs all that run but those that are quiescent. Remembers them under `number`, and returns how
 * many they are. One asker of a kind at a time. Any context.
 */
unsigned ipi_choose_others(enum ipi_question kind, uint64_t number);
/* Interrupt these `asked` cores. Counts for smp_ipi_counts(). Any context. */
void ipi_ask_others(enum ipi_question kind, uint64_t number, unsigned asked);
/* One more round of core sync. */
void ipi_count_sync(void);
/* Was `core` asked `number`? False for the asker itself. By the asker, until it asks again. */
bool ipi_was_asked(unsigned core, enum ipi_question kind, uint64_t number);

/* ---- call.c ---- */

/* Ask every other online core to run fn(arg), which need not return. Does not wait. */
void call_others_nowait(smp_work fn, void *arg);

/*
 * Drop all translations of this core, global ones and all PCIDs' too: a change of CR4.PGE (SDM vol
 * 3A, 4.10.4.1). Serialises. Any context but NMI. The argument makes it a cross-call.
 */
void tlb_flush_this_core(void *unused);

/* ---- work.c ---- */

/* The idle loop of a started core: interrupts on, for ever. */
_Noreturn void work_loop(void);

/* ---- stop.c ---- */

/*
 * Stop every other online core for good by NMI, and return when all have left their records or one
 * second has passed. The first core that calls it owns the machine's end; false for a second one,
 * which is about to be stopped itself. Any context.
 */
bool stop_other_cores(void);
/* The same for panic(): a second core halts instead of returning. */
void stop_for_panic(void);
/* In the NMI handler: if the machine is being stopped, record and halt; else return. */
void stop_if_asked(const struct trap_frame *frame);
/* Where this core is, as for its stop record. */
void stop_record_fill(struct stop_record *record, const struct trap_frame *frame);
/* cli; hlt for ever. NMIs are still taken. */
_Noreturn void halt_for_ever(void);

/* ---- way_back.c ---- */

/*
 * For leave_set_way_back(): the machine has ended with `code`, the other cores are stopped; the
 * boot core goes back to the loader. Any core, any context.
 */
_Noreturn void way_back_go(enum exit_code code);
/* The boot core, stopped by NMI: wait until another core sends it back. In the NMI handler. */
_Noreturn void way_back_wait(void);

/* ---- hang_report.c ---- */

struct hang {
    const char *stage;
    uint64_t limit; /* ticks: how long the stage may last */
    uint64_t found; /* boot core's TSC when the hang was found */
};
/* Print it, all other cores stopped; `silent` becomes the list for watchdog_report. */
void hang_print(const struct hang *hang, char *silent, size_t size);

/* ---- idle.c ---- */

/*
 * Wait for any interrupt or NMI (in a process, for VECTOR_WAKE), quiescent meanwhile. Interrupts
 * off before and after; a wake-up sent before it counts. Thread context.
 */
void idle_wait(void);
/* In the NMI handler, before it returns to `frame`. */
void idle_leave(struct trap_frame *frame);

/* ---- quiescent.c ---- */

/*
 * Be quiescent: execute nothing that can be patched until quiescent_leave(), which every trap calls
 * first. Thread context, interrupts off.
 */
void quiescent_enter(void);
/* The way out; nothing to do on a core that is here. Any context, NMI too. */
void quiescent_leave(void);

/* ---- sync.c ---- */

/*
 * Serialise this core without IRET, which would end the blocking of NMIs: by MOV CR2 where
 * sync_core() uses IRET. Any context.
 */
void sync_core_in_nmi(void);

/* Has this core the instruction that sync_core() uses? Any context. */
bool sync_works_here(void);

/* ---- park.c ---- */

/* Call a test's hook of this core, if there is one and the core is not parked. Any context. */
void run_hook(struct percpu *self, void (**hook)(void));

/* ---- interrupt handlers; each has the file of its name ---- */

bool call_handler(struct trap_frame *frame);
bool nmi_handler(struct trap_frame *frame);
bool sync_handler(struct trap_frame *frame);
bool timer_handler(struct trap_frame *frame);
bool work_wake_handler(struct trap_frame *frame);

#endif

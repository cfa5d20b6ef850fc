/* SPDX-License-Identifier: MIT */
/*
 * Many cores: find them, start them, run work on them, call them, serialise them.
 *
 * Context of every function: thread, interrupts on, boot core, unless it says otherwise.
 */
#ifndef SMP_SMP_H
#define SMP_SMP_H

#include <stdbool.h>
#include <stdint.h>

#include "smp/percpu.h"

struct boot_info;

/* ---- bring-up, in this order ---- */

/* The boot core's own block: needed before traps. Interrupts off. */
void smp_init_boot_core(void);

/*
 * Read the MADT and allocate a block for each usable core, at most `limit` in all (0: no limit).
 * Never fails: with no or damaged tables the boot core runs alone and smp_topology()->note says
 * why. Interrupts off, after mm_init().
 */
void smp_discover(const struct boot_info *info, unsigned limit);

/*
 * The boot core's local APIC, kept as it is found, then on: own vectors, firmware's interrupts held
 * back, timer calibrated and ticking. Interrupts off, after time_init().
 */
void smp_apic_init(void);

/*
 * Start all discovered cores in parallel by INIT-SIPI-SIPI, each within a time limit. Returns how
 * many did not come up: those have CPU_FAILED, the report names them, and they stay out of every
 * set below. Prints nothing: the report has not begun.
 */
unsigned smp_start_all(const struct boot_info *info);

/*
 * Park every other core in cli;hlt, stop timers, give the local APIC back as it was found.
 * Interrupts are off at return.
 */
void smp_shutdown(void);

/*
 * Take the machine again after smp_shutdown() and the firmware's turn: the local APIC, interrupts,
 * the cores that had stopped; one that does not come is CPU_FAILED. Interrupts off before and on
 * after. What is known of clocks stays valid.
 */
void smp_resume(void);

struct smp_topology {
    unsigned listed;         /* usable processors in the MADT (the boot core included) */
    unsigned offline;        /* online-capable only, disabled, or places without a processor */
    unsigned online_capable; /* of those, the ones that might be plugged in */
    unsigned unreachable;    /* listed too, but their APIC ids need x2APIC mode, which is not on */
    unsigned duplicates;     /* the same APIC id again */
    unsigned malformed;      /* entries that cannot be right: no id, or too short */
    unsigned failed;
    bool x2apic;
    const char *note; /* NULL, or why other cores are not used */
};
const struct smp_topology *smp_topology(void);

/* ---- how many; any core, any context ---- */

unsigned smp_possible(void); /* cores with a block; machine_cores() */
/* Cores that run; their numbers need not be dense after failures. */
unsigned smp_online(void);
bool smp_is_online(unsigned core);

/* The next online core after `core` (-1 to begin), or -1. */
int smp_next_online(int core);
#define for_each_online_cpu(i) for (int i = smp_next_online(-1); i >= 0; i = smp_next_online(i))

/* ---- work in thread context ---- */

/*
 * Let an idle core run fn(arg) with interrupts on. Returns at once. False if the core is the boot
 * core, not online or not idle. fn's stores are visible after smp_wait_work() returned for that
 * core or smp_work_done() was true.
 */
bool smp_start_work(unsigned core, smp_work fn, void *arg);
/* Has the core finished its last work? Any core. */
bool smp_work_done(unsigned core);
/* Wait until it has. */
void smp_wait_work(unsigned core);

/*
 * How often the calling thread has lost its processor since it began: the same number before and
 * after a measured section says that it had it all the time. Bare metal loses none: 0. What a
 * hypervisor takes is not seen. Any core, thread context.
 */
uint64_t smp_preemptions(void);

/* ---- park: leave the online set and come back (Linux: CPU hotplug) ---- */

/*
 * Take this core out of the online set until smp_unpark() is called for it: no hook runs on it, its
 * timer is off (and with it the watchdog's look), it waits in HLT, where no sync interrupts it. On
 * its way back it drops all translations. On any core but the boot core, in thread context,
 * interrupts on, text_mutex not held. No cross-call (below) may be under way when a core parks or
 * comes back; core syncs may.
 */
void smp_park(void);
/* Wake a parked core; returns at once. False if it is not parked. Any core, any context. */
bool smp_unpark(unsigned core);

/* ---- cross-calls in interrupt context ---- */

/*
 * Run fn(arg) on every online core, this one included, and return when all have; this one runs it
 * while the others do. fn runs with interrupts off.
 */
void smp_call_all(smp_work fn, void *arg);
/* The same on one core, which must be online. */
void smp_call_one(unsigned core, smp_work fn, void *arg);
/* Flush all translations, global ones too, on every online core. */
void smp_tlb_flush(void);

/* ---- core sync ---- */

/* In the order of word sync= (kernel/lib/words.def). */
enum sync_method {
    SYNC_AUTO,      /* SERIALIZE where CPUID has it, else IRET */
    SYNC_SERIALIZE, /* CPUID.7.0:EDX[14] */
    SYNC_IRET,      /* IRET to self; unmasks NMIs */
    SYNC_CR2,       /* MOV to CR2, then a jump */
    SYNC_CPUID,     /* traps under a hypervisor */
};

/* Choose; false, with nothing changed, if this CPU does not have it. Before patching starts. */
bool smp_sync_select(enum sync_method method);
/* "serialize", "iret", "cr2", "cpuid": the one in use. Any context. */
const char *smp_sync_name(void);
/*
 * Execute it on this core. Any core, any context but NMI (IRET would unmask NMIs). Mirrors Linux
 * `sync_core`.
 */
void sync_core(void);

/*
 * One interrupt of its own vector to all that may execute what can be patched: each executes
 * sync_core(), logs and acknowledges in its own line, beyond 16 of them through a tree as well.
 * Returns when all have. A core that waits for work or is parked is not interrupted: before it
 * goes on, it serialises. Rounds rise, from 1. This is machine_sync_cores(). Any core, thread
 * context, one caller at a time in the whole machine.
 */
void smp_sync_cores(uint64_t round);
/*
 * The last round in *round, and the first core that was asked and has not acknowledged it while
 * it is being waited for, else -1. Any core, any context.
 */
int smp_sync_silent(uint64_t *round);

/* ---- interrupts between cores ---- */

/*
 * Send `vector` to a core. Its handler has to end with apic_eoi() (smp/apic.h). Any core, any
 * context.
 */
void smp_send_ipi(unsigned core, unsigned vector);
/* Are there NMIs? Not in a process. */
bool smp_has_nmis(void);
/* Send an NMI to a core; its nmi_hook runs. Any core, any context. No-op without NMIs. */
void smp_send_nmi(unsigned core);

/*
 * Timer interrupts on this core, every `us` microseconds (0: off). The local APIC timer in periodic
 * mode; the handler counts the heartbeat, asks the watchdog and calls timer_hook. The default is
 * watchdog_start_core()'s. Any core, thread or interrupt context.
 */
void smp_timer_start(unsigned us);

/* IPIs sent since boot, by kind; exact while no core sends. Any core, any context. */
struct smp_ipi_counts {
    uint64_t sync_broadcasts; /* rounds */
    uint64_t sync_acks;       /* acknowledgements of all cores, the senders' own included */
    uint64_t calls;           /* cores asked by cross-calls */
    uint64_t wakes, nmis;     /* cores */
};
struct smp_ipi_counts smp_ipi_counts(void);

#endif

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
 * Read the MADT and allocate a block for each usable core, at most `limit` (0: all). Never fails: with no or damaged
 * tables the boot core runs alone and smp_topology()->note says why. Interrupts off.
 */
void smp_discover(const struct boot_info *info, unsigned limit);

/* Local APIC on: own vectors, firmware's interrupts held back, state saved for apic_restore(). Interrupts off. */
void smp_apic_init(void);

/*
 * Start all discovered cores in parallel by INIT-SIPI-SIPI, each within a time limit. Returns how many did not come up; each
 * is named in a line of the report and has CPU_FAILED. They stay out of every set below.
 */
unsigned smp_start_all(const struct boot_info *info);

/* Park every other core in cli;hlt, stop timers, give the local APIC back as it was found. Interrupts off at return. */
void smp_shutdown(void);

struct smp_topology {
    unsigned listed;       /* usable processors in the MADT (the boot core included) */
    unsigned offline;      /* online-capable only, or disabled */
    unsigned duplicates, malformed;
    unsigned failed;
    bool x2apic;
    const char *note;      /* NULL, or why the other cores are not used */
};
const struct smp_topology *smp_topology(void);

/* ---- how many ---- */

unsigned smp_possible(void); /* cores with a block; machine_cores() */
unsigned smp_online(void);   /* cores that run; online ones need not be dense in index after failures */
bool smp_is_online(unsigned core);

/* The next online core after `core` (-1 to begin), or -1. */
int smp_next_online(int core);
#define for_each_online_cpu(i) for (int i = smp_next_online(-1); i >= 0; i = smp_next_online(i))

/* ---- work in thread context ---- */

/*
 * Let an idle core run fn(arg) with interrupts on. Returns at once. False if the core is not idle or not online.
 * fn's stores are visible after smp_wait_work() returned true for that core.
 */
bool smp_start_work(unsigned core, smp_work fn, void *arg);
/* Has the core finished its last work? Any core. */
bool smp_work_done(unsigned core);
/* Wait until it has. */
void smp_wait_work(unsigned core);

/* ---- cross-calls in interrupt context ---- */

/* Run fn(arg) on every online core, this one included (last), and return when all have. fn runs with interrupts off. */
void smp_call_all(smp_work fn, void *arg);
/* The same on one core. */
void smp_call_one(unsigned core, smp_work fn, void *arg);
/* Flush all translations, global ones too, on every online core. */
void smp_tlb_flush(void);

/* ---- core sync ---- */

enum sync_method {
    SYNC_AUTO,      /* SERIALIZE where CPUID has it, else IRET */
    SYNC_SERIALIZE, /* CPUID.7.0:EDX[14] */
    SYNC_IRET,      /* IRET to self; unmasks NMIs */
    SYNC_CR2,       /* MOV to CR2, then a jump */
    SYNC_CPUID,     /* traps under a hypervisor */
};

/* Choose; false if this CPU does not have it. Before patching starts. */
bool smp_sync_select(enum sync_method method);
/* "serialize", "iret", "cr2", "cpuid": the one in use. */
const char *smp_sync_name(void);
/* Execute it on this core. Any context but NMI (IRET would unmask NMIs). Mirrors Linux `sync_core`. */
void sync_core(void);

/*
 * One broadcast IPI of its own vector; every online core executes sync_core(), logs and acknowledges in its own line.
 * Returns when all have. Rounds must rise. This is machine_sync_cores().
 */
void smp_sync_cores(uint64_t round);
/* The round being waited for and the first online core that has not acknowledged it, -1 if none. Any context. */
int smp_sync_silent(uint64_t *round);

/* ---- interrupts between cores ---- */

/* Send VECTOR to a core. Any context. */
void smp_send_ipi(unsigned core, unsigned vector);
/* Send an NMI to a core; its nmi_hook runs. Any context. */
void smp_send_nmi(unsigned core);

/*
 * Timer interrupts on this core, every `us` microseconds (0: off). The local APIC timer in periodic mode; the handler counts
 * the heartbeat, asks the watchdog and calls timer_hook. Any core, thread context.
 */
void smp_timer_start(unsigned us);

/* IPIs sent since boot, by kind; exact. */
struct smp_ipi_counts {
    uint64_t sync_broadcasts, sync_acks, calls, wakes, nmis;
};
struct smp_ipi_counts smp_ipi_counts(void);

#endif

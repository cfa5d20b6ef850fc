/* SPDX-License-Identifier: MIT */
/*
 * One block per core, reached through GS. Index 0 is the core that booted.
 *
 * A word has one writer unless said otherwise: "own" is the core whose block it is, in any of its
 * contexts. Everybody may read. Counters are exact when their core is idle.
 */
#ifndef SMP_PERCPU_H
#define SMP_PERCPU_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/cpu/cpu_local.h"
#include "kernel/cpu/cpu_tables.h"
#include "kernel/trap/backtrace.h"
#include "poke/machine.h"

/* What a core is doing, for the watchdog and the reports. A core's status starts as pending. */
enum cpu_state {
    CPU_PENDING,  /* listed by the firmware, not started */
    CPU_STARTING, /* INIT-SIPI sent */
    CPU_IDLE,
    CPU_BUSY,     /* in smp_start_work's function; the boot core always */
    CPU_PARKED,   /* in smp_park() */
    CPU_UNPARKED, /* leaving smp_park(): online, but no hook runs yet */
    CPU_STOPPED,  /* cli; hlt for ever */
    CPU_FAILED,   /* did not come up in time */
};

/* Whether core syncs ask a core that runs; quiescent.c has the order. */
enum core_quiescence {
    CORE_HERE,      /* asked */
    CORE_QUIESCENT, /* not asked: it executes nothing patchable, and serialises when it leaves */
    CORE_LEAVING,   /* asked, but it has not serialised yet */
};

/* What this very core's CPUID says it can do, of leaves 1, 7 and 0x80000001. */
struct core_features {
    uint32_t one_ecx, one_edx, seven_ebx, seven_ecx, seven_edx, ext_edx;
};

typedef void (*smp_work)(void *arg);

/* What a core asks all others by interrupt. */
enum ipi_question { IPI_SYNC, IPI_CALL, IPI_QUESTIONS };

/* What a core was doing when it was stopped for good (stop.c). */
struct stop_record {
    uint32_t stopped; /* own, release after the rest; the stopper acquires it */
    uint32_t interrupts_on;
    uint32_t frames;
    uint64_t trace[BACKTRACE_MAX];
};

struct percpu {
    struct cpu_local local; /* must be first: GS base points here */
    uint32_t apic_id;
    uint32_t package, core, thread; /* from CPUID 0x1F / 0xB; need not be dense in their parent */
    uint32_t kind;                  /* enum core_kind (topology_decode.h) */
    struct core_features features;  /* on hybrid parts not the same on all */
    uint32_t state;                 /* enum cpu_state; who writes it: state.c, park.c */
    uint32_t quiescence;            /* enum core_quiescence; own */

    /*
     * Thread-context work: the starter writes fn and arg, then work_seq (release); the core
     * answers in work_done (work.c).
     */
    smp_work work_fn;
    void *work_arg;
    uint32_t work_seq, work_done;

    uint64_t asked[IPI_QUESTIONS]; /* number of the last question to this core; see ipi.c */

    /*
     * Acknowledgements: own, release; the sender acquires. A line of their own, with no other
     * core's beside them.
     */
    uint64_t sync_ack __attribute__((aligned(CACHE_LINE))); /* last sync round finished */
    uint64_t call_ack;                                      /* last cross-call finished */

    /* the watchdog's view: own */
    uint64_t heartbeat __attribute__((aligned(CACHE_LINE))); /* timer interrupts taken */
    uint64_t heartbeat_time; /* TSC of the last of them or of the timer's start; 0: timer off */
    const char *phase;       /* machine_phase() */
    uint64_t nmi_count, sync_count;
    uint64_t nmi_known;      /* of them, those that were sent by us */
    uint64_t nmi_unexpected; /* and those that were not */
    uint64_t nmi_sent;       /* whoever sends, before it sends (locked) */
    int64_t tsc_offset;      /* ticks ahead of core 0; the boot core writes it at bring-up */
    uint64_t tsc_offset_rtt; /* ticks: error bound of that */
    bool tsc_known;          /* both are measured */

    /* Hooks: a test writes them, release; the core acquires them in each interrupt. NULL: none. */
    void (*timer_hook)(void); /* called in every timer interrupt after the heartbeat */
    void (*nmi_hook)(void);   /* called in every NMI that does not stop the core */

    struct poke_core poke;
    struct cpu_tables tables;
    struct stop_record stop;
};

/* This core's block. Any context. */
static inline struct percpu *this_cpu(void)
{
    return (struct percpu *)cpu_local();
}

/* Core `index` (0 .. smp_possible() - 1), started or not. Any context. */
struct percpu *percpu(unsigned index);

#endif

/* SPDX-License-Identifier: MIT */
/* One block per core, reached through GS. Index 0 is the core that booted. */
#ifndef SMP_PERCPU_H
#define SMP_PERCPU_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/cpu/cpu_local.h"
#include "kernel/cpu/cpu_tables.h"
#include "poke/machine.h"

/* What a core is doing, for the watchdog and the reports. A core's status starts as pending. */
enum cpu_state {
    CPU_PENDING,  /* listed by the firmware, not started */
    CPU_STARTING, /* INIT-SIPI sent */
    CPU_IDLE,
    CPU_BUSY,     /* in smp_start_work's function */
    CPU_PARKED,   /* cli; hlt for ever */
    CPU_FAILED,   /* did not come up in time */
};

typedef void (*smp_work)(void *arg);

struct percpu {
    struct cpu_local local; /* must be first: GS base points here */
    uint32_t apic_id;
    uint32_t package, core, thread; /* from CPUID 0x1F / 0xB; dense within their parent is not promised */
    uint32_t state;                 /* enum cpu_state; written by the core itself after STARTING */

    /* thread-context work: the starter writes fn and arg, then work_seq (release); the core answers in done_seq */
    smp_work work_fn;
    void *work_arg;
    uint32_t work_seq, work_done;

    /* core sync: this core writes, the patcher reads. Own line, no other core's acknowledgement beside it. */
    uint64_t sync_ack __attribute__((aligned(CACHE_LINE))); /* last round acknowledged */
    uint64_t call_ack;                                       /* last cross-call finished */

    /* the watchdog's view */
    uint64_t heartbeat __attribute__((aligned(CACHE_LINE))); /* timer ticks seen */
    const char *phase;                                       /* machine_phase() */
    uint64_t nmi_count, timer_count, sync_count;
    int64_t tsc_offset;      /* against core 0, ticks */
    uint64_t tsc_offset_rtt; /* error bound of that */

    void (*timer_hook)(void); /* called in every timer interrupt after the heartbeat; NULL: none */
    void (*nmi_hook)(void);   /* called in every NMI that the watchdog did not send; NULL: none */

    struct poke_core poke;
    struct cpu_tables tables;
};

/* This core's block. Any context. */
static inline struct percpu *this_cpu(void)
{
    return (struct percpu *)cpu_local();
}

/* Core `index` (0 .. smp_possible() - 1), started or not. Any context. */
struct percpu *percpu(unsigned index);

#endif

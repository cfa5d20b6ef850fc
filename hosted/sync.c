/* SPDX-License-Identifier: MIT */
/*
 * Core sync of a process: membarrier(2) with PRIVATE_EXPEDITED_SYNC_CORE. The kernel interrupts
 * every processor that runs a thread of this process, and each of those executes a serialising
 * instruction before it is back in user mode; a thread that does not run will, before it does.
 *
 * That asks nobody. On bare metal a core takes the interrupt of a sync only with its interrupts on,
 * so that a sync also waits for whoever has them off. So it is here: after the call, each core is
 * waited for until its word irq_off is seen clear. Traps leave that word alone (signals.c): their
 * handlers are what retire has to wait for by itself, and here it has to do so often.
 *
 * The acknowledgements are logged for each core by the one that asked. Rings of other cores have no
 * other writer here.
 */
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hosted/hosted.h"
#include "kernel/cpu/regs.h"
#include "kernel/lib/atomic.h"
#include "smp/internal.h"
#include "smp/smp.h"

/* Written by the one that syncs; the watchdog's thread reads them when nothing goes on. */
static uint64_t last_round;
static uint32_t waits_for = UINT32_MAX; /* core, or none */

static void wait_for(unsigned core)
{
    store_relaxed(&waits_for, core);
    /* Pairs with the releases in interrupts.c: what it did meanwhile is over. */
    while (load_acquire(&hosted_core(core)->irq_off))
        cpu_relax();
    store_relaxed(&waits_for, UINT32_MAX);
}

void smp_sync_cores(uint64_t round)
{
    store_relaxed(&last_round, round);
    syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0);
    ipi_count_sync();
    for_each_online_cpu (i) {
        struct percpu *cpu = percpu((unsigned)i);

        if (cpu != this_cpu())
            wait_for((unsigned)i);
        poke_log_ack_of((unsigned)i, round);
        store_relaxed(&cpu->sync_count, cpu->sync_count + 1);
    }
}

int smp_sync_silent(uint64_t *round)
{
    uint32_t core = load_relaxed(&waits_for);

    *round = load_relaxed(&last_round);
    return core == UINT32_MAX ? -1 : (int)core;
}

const char *smp_sync_name(void)
{
    return "membarrier";
}

void sync_core(void)
{
    cpuid(0, 0);
}

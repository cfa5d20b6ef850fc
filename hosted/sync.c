/* SPDX-License-Identifier: MIT */
/*
 * Core sync of a process: membarrier(2) with PRIVATE_EXPEDITED_SYNC_CORE. The kernel interrupts
 * every processor that runs a thread of this process, and each of those executes a serialising
 * instruction before it is back in user mode; a thread that does not run will, before it does.
 *
 * The acknowledgements are therefore the kernel's: they are logged for each core by the one that
 * asked, after the call has returned. Rings of other cores have no other writer here.
 */
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hosted/hosted.h"
#include "kernel/cpu/regs.h"
#include "kernel/lib/atomic.h"
#include "smp/internal.h"
#include "smp/smp.h"

void smp_sync_cores(uint64_t round)
{
    syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0);
    ipi_count_sync();
    for_each_online_cpu (i) {
        struct percpu *cpu = percpu((unsigned)i);

        poke_log_ack_of((unsigned)i, round);
        store_relaxed(&cpu->sync_count, cpu->sync_count + 1);
    }
}

const char *smp_sync_name(void)
{
    return "membarrier";
}

void sync_core(void)
{
    cpuid(0, 0);
}

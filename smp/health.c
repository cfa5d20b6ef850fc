/* SPDX-License-Identifier: MIT */
#include "smp/health.h"

#include "kernel/cpu/regs.h"
#include "kernel/lib/atomic.h"
#include "kernel/trap/trap.h"
#include "smp/smp.h"

/* Intel since Nehalem (SDM vol 4); elsewhere reading it faults. */
#define MSR_SMI_COUNT  0x34
#define SMI_COUNT_BITS 0xffffffffull

static void read_smi_count(void *arg)
{
    *(uint64_t *)arg = rdmsr(MSR_SMI_COUNT) & SMI_COUNT_BITS;
}

/* Interrupt context of the core itself. */
static void read_own(void *arg)
{
    struct core_health *health = (struct core_health *)arg + cpu_index();
    struct trap_caught caught;

    health->smis = 0;
    health->sees_smis = trap_try(read_smi_count, &health->smis, &caught);
    health->unexpected_nmis = this_cpu()->nmi_unexpected;
    machine_check_read(&health->errors);
}

void health_read(struct core_health *cores)
{
    smp_call_all(read_own, cores);
}

void health_settle_nmis(void)
{
    for (unsigned i = 0; i < smp_possible(); i++)
        store_relaxed(&percpu(i)->nmi_known, load_relaxed(&percpu(i)->nmi_sent));
}

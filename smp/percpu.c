/* SPDX-License-Identifier: MIT */
/*
 * The blocks of all cores. The boot core's is static, since it is needed before there is memory to
 * allocate; the others' are one array.
 *
 * Shared words: `others` and `possible` are written by the boot core before any other core runs,
 * and constant from then on. `state` is written by the boot core up to CPU_STARTING (and to
 * CPU_FAILED by compare-exchange) and by the core itself afterwards (but for smp_unpark()); whoever
 * sees IDLE or BUSY by acquire sees the block as its core set it up.
 */
#include "smp/internal.h"
#include "smp/smp.h"

#include "kernel/lib/atomic.h"
#include "kernel/mm/mm.h"

static struct percpu boot_core;
static struct percpu *others; /* cores 1 .. possible - 1 */
static unsigned possible = 1;

void smp_init_boot_core(void)
{
    boot_core.state = CPU_BUSY;
    cpu_local_set(&boot_core.local);
}

bool percpu_reserve(unsigned count)
{
    if (count == 0)
        return true;
    others = pages_alloc_virt((count * sizeof *others + PAGE_SIZE - 1) / PAGE_SIZE);
    return others != NULL;
}

struct percpu *percpu_add(uint32_t apic_id)
{
    struct percpu *cpu = &others[possible - 1];

    cpu->local.index = possible++;
    cpu->apic_id = apic_id;
    return cpu;
}

struct percpu *percpu(unsigned index)
{
    return index == 0 ? &boot_core : &others[index - 1];
}

struct percpu *percpu_find(uint32_t apic_id)
{
    for (unsigned i = 0; i < possible; i++) {
        if (percpu(i)->apic_id == apic_id)
            return percpu(i);
    }
    return NULL;
}

unsigned smp_possible(void)
{
    return possible;
}

bool smp_is_online(unsigned core)
{
    /* Pairs with the compare-exchange to CPU_IDLE in ap_main(), and with smp_park(). */
    uint32_t state = load_acquire(&percpu(core)->state);

    return state == CPU_IDLE || state == CPU_BUSY || state == CPU_UNPARKED;
}

bool percpu_is_running(unsigned core)
{
    return smp_is_online(core) || load_acquire(&percpu(core)->state) == CPU_PARKED;
}

int smp_next_online(int core)
{
    for (unsigned i = (unsigned)(core + 1); i < possible; i++) {
        if (smp_is_online(i))
            return (int)i;
    }
    return -1;
}

unsigned smp_online(void)
{
    unsigned count = 0;

    for_each_online_cpu (i)
        count++;
    return count;
}

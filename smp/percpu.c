/* SPDX-License-Identifier: MIT */
/*
 * The blocks of all cores. The boot core's is static, since it is needed before there is memory to
 * allocate; the others' are one array.
 *
 * Shared words: `others` and `possible` are written by the boot core before any other core runs,
 * and constant from then on.
 */
#include "smp/internal.h"
#include "smp/smp.h"

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

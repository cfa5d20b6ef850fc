/* SPDX-License-Identifier: MIT */
/*
 * Which cores there are: the firmware's MADT says so (ACPI 6.5, 5.2.12), and the boot core is the
 * one that reads it, whether it is listed, first, or neither. Written by the boot core alone,
 * before another core runs, except for the failures that bring-up adds.
 */
#include "smp/internal.h"
#include "smp/smp.h"

#include "boot/boot_info.h"
#include "kernel/lib/acpi.h"
#include "kernel/lib/fixed_text.h"
#include "kernel/mm/mm.h"
#include "smp/apic.h"

#define MADT_ENTRY_MIN 8    /* bytes of the smallest processor entry, type 0 */
#define MADT_CPUS_MAX  8192 /* each is compared with all before it: no table may take for ever */

static struct smp_topology topology;

/* Each core sync looks whether it can broadcast (ipi.c). */
FIXED_TEXT const struct smp_topology *smp_topology(void)
{
    return &topology;
}

void topology_set_failed(unsigned failed, const char *note)
{
    topology.failed = failed;
    topology.note = note;
}

/* The processors that the MADT lists, or NULL, with topology.note set. */
static const struct madt_cpu *read_madt(uint64_t rsdp, struct madt *madt)
{
    const uint8_t *table;
    size_t bytes;
    enum acpi_status status = acpi_find(mm_read_phys, rsdp, "APIC", &table, &bytes);

    if (status != ACPI_OK) {
        topology.note = acpi_status_text(status);
        return NULL;
    }
    size_t max = bytes / MADT_ENTRY_MIN;
    if (max > MADT_CPUS_MAX)
        max = MADT_CPUS_MAX;
    struct madt_cpu *cpus = pages_alloc_virt((max * sizeof *cpus + PAGE_SIZE - 1) / PAGE_SIZE);
    if (!cpus) {
        topology.note = "no memory for the list of processors";
        return NULL;
    }
    if (!madt_parse(table, bytes, cpus, (unsigned)max, madt)) {
        topology.note = "the MADT is shorter than its header";
        return NULL;
    }
    if (madt->wakeup_mailbox) {
        topology.note = "the firmware starts cores by mailbox only: INIT-SIPI is not allowed";
        return NULL;
    }
    /* Its checksum is right: what stands before the damage is what the firmware meant. */
    if (madt->truncated)
        topology.note = "the MADT is damaged: an entry leaves it; the cores before that are used";
    else if (madt->dropped)
        topology.note = "the MADT lists more than 8192 processors; the first are used";
    return cpus;
}

/* Count what is listed, and how many cores beside this one can be used. */
static unsigned count_usable(const struct madt_cpu *cpus, const struct madt *madt)
{
    unsigned usable = 0;

    for (unsigned i = 0; i < madt->cpus; i++) {
        if (cpus[i].use != MADT_ENABLED) {
            topology.offline++;
            topology.online_capable += cpus[i].use == MADT_ONLINE_CAPABLE;
        } else if (cpus[i].apic_id != percpu(0)->apic_id) {
            topology.listed++;
            if (apic_can_reach(cpus[i].apic_id))
                usable++;
            else
                topology.unreachable++;
        }
    }
    topology.duplicates = madt->duplicates;
    topology.malformed = madt->invalid + madt->too_short;
    topology.offline += madt->empty;
    return usable;
}

void smp_discover(const struct boot_info *info, unsigned limit)
{
    struct madt madt;

    apic_detect();
    percpu(0)->apic_id = apic_id();
    identify_core(percpu(0));
    topology.x2apic = apic_is_x2apic();
    topology.listed = 1;

    const struct madt_cpu *cpus = read_madt(info->rsdp_phys, &madt);
    if (!cpus)
        return;
    unsigned others = count_usable(cpus, &madt);
    if (limit != 0 && others > limit - 1)
        others = limit - 1;
    if (!percpu_reserve(others)) {
        topology.note = "no memory for the cores' blocks";
        return;
    }
    for (unsigned i = 0; i < madt.cpus && smp_possible() <= others; i++) {
        if (cpus[i].use == MADT_ENABLED && cpus[i].apic_id != percpu(0)->apic_id &&
            apic_can_reach(cpus[i].apic_id))
            percpu_add(cpus[i].apic_id);
    }
}

/* SPDX-License-Identifier: MIT */
/* The MADT's processors (ACPI 6.5, 5.2.12). Declared in acpi.h. */
#include "kernel/lib/acpi.h"
#include "kernel/lib/little_endian.h"

enum {
    SDT_REVISION = 8,
    MADT_LAPIC = 36,
    MADT_ENTRIES = 44,

    HEADER = 2, /* type and length of an entry */

    TYPE_LAPIC = 0,
    TYPE_LAPIC_OVERRIDE = 5,
    TYPE_X2APIC = 9,
    TYPE_WAKEUP = 0x10,

    FLAG_ENABLED = 1,
    FLAG_ONLINE_CAPABLE = 2,
    REVISION_ONLINE_CAPABLE = 5, /* the flag is reserved before it */
};

#define APIC_ID_NONE 0xffffffffu /* as type 9 writes it; type 0 writes 0xff */

/* Bytes that are read of an entry of a known type; its own header of any other. */
static uint8_t least_bytes(uint8_t type)
{
    switch (type) {
    case TYPE_LAPIC:
        return 8;
    case TYPE_LAPIC_OVERRIDE:
        return 12;
    case TYPE_X2APIC:
        return 16;
    default:
        return HEADER;
    }
}

static uint8_t use_of(const uint8_t *field, uint8_t revision)
{
    uint32_t flags = read_le(field, 4);

    if (flags & FLAG_ENABLED)
        return MADT_ENABLED;
    if ((flags & FLAG_ONLINE_CAPABLE) && revision >= REVISION_ONLINE_CAPABLE)
        return MADT_ONLINE_CAPABLE;
    return MADT_DISABLED;
}

static void add_cpu(struct madt *out, struct madt_cpu *cpus, unsigned max, struct madt_cpu cpu)
{
    if (cpu.apic_id == APIC_ID_NONE) {
        if (cpu.use == MADT_ENABLED)
            out->invalid++;
        else
            out->empty++;
        return;
    }
    for (unsigned i = 0; i < out->cpus; i++) {
        if (cpus[i].apic_id != cpu.apic_id)
            continue;
        out->duplicates++;
        /* A disabled placeholder must not hide the enabled entry of the same core. */
        if (cpu.use < cpus[i].use)
            cpus[i] = cpu;
        return;
    }
    if (out->cpus < max)
        cpus[out->cpus++] = cpu;
    else
        out->dropped++;
}

/* One entry that is as long as its type needs. */
static void take_entry(const uint8_t *entry, uint8_t revision, struct madt_cpu *cpus, unsigned max,
                       struct madt *out)
{
    struct madt_cpu cpu;

    switch (entry[0]) {
    case TYPE_LAPIC:
        cpu.apic_id = entry[3] == 0xff ? APIC_ID_NONE : entry[3];
        cpu.uid = entry[2];
        cpu.use = use_of(entry + 4, revision);
        add_cpu(out, cpus, max, cpu);
        break;
    case TYPE_X2APIC:
        cpu.apic_id = read_le(entry + 4, 4);
        cpu.uid = read_le(entry + 12, 4);
        cpu.use = use_of(entry + 8, revision);
        add_cpu(out, cpus, max, cpu);
        break;
    case TYPE_LAPIC_OVERRIDE:
        out->lapic_phys = read_le(entry + 4, 8);
        break;
    case TYPE_WAKEUP:
        break;
    default:
        out->unknown++;
    }
}

bool madt_parse(const uint8_t *table, size_t bytes, struct madt_cpu *cpus, unsigned max,
                struct madt *out)
{
    *out = (struct madt){ 0 };
    if (bytes < MADT_ENTRIES)
        return false;
    out->lapic_phys = read_le(table + MADT_LAPIC, 4);

    for (size_t at = MADT_ENTRIES; at < bytes; at += table[at + 1]) {
        const uint8_t *entry = table + at;

        if (bytes - at < HEADER || entry[1] < HEADER || entry[1] > bytes - at) {
            out->truncated = true;
            break;
        }
        /* A mailbox of any length forbids INIT, whatever else is wrong with it. */
        if (entry[0] == TYPE_WAKEUP)
            out->wakeup_mailbox = true;
        if (entry[1] < least_bytes(entry[0]))
            out->too_short++;
        else
            take_entry(entry, table[SDT_REVISION], cpus, max, out);
    }
    return true;
}

/* SPDX-License-Identifier: MIT */
/*
 * ACPI tables as bytes: find one, and read the MADT (ACPI 6.5, 5.2.12). Pure: memory is reached
 * through a callback, so that recorded and mutilated tables can be tested on the host. Nothing is
 * trusted: lengths and checksums are verified.
 */
#ifndef KERNEL_LIB_ACPI_H
#define KERNEL_LIB_ACPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `bytes` readable bytes at a physical address, or NULL if they are not RAM. */
typedef const void *(*acpi_memory)(uint64_t phys, size_t bytes);

/* In the order in which a search gets further, but for success. */
enum acpi_status {
    ACPI_OK,
    ACPI_NO_RSDP,   /* address 0, wrong signature or checksum */
    ACPI_BAD_ROOT,  /* RSDT and XSDT unreadable, too short or with a wrong checksum */
    ACPI_NOT_FOUND, /* no table of that signature */
    ACPI_BAD_TABLE, /* found, but too short, unreadable or with a wrong checksum */
};
const char *acpi_status_text(enum acpi_status s);

/*
 * Find the first valid table with this 4-character signature: through the XSDT, and if that leads
 * to none, through the RSDT. Sets *table (in the memory that the callback gave) and *bytes; NULL
 * and 0 if there is none.
 */
enum acpi_status acpi_find(acpi_memory memory, uint64_t rsdp, const char signature[static 4],
                           const uint8_t **table, size_t *bytes);

enum madt_use {
    MADT_ENABLED,        /* flags bit 0 */
    MADT_ONLINE_CAPABLE, /* bit 1 alone: absent, may be plugged in; reserved before revision 5 */
    MADT_DISABLED,
};

struct madt_cpu {
    uint32_t apic_id;
    uint32_t uid;
    uint8_t use; /* enum madt_use */
};

struct madt {
    uint64_t lapic_phys; /* with the override of type 5 */
    unsigned cpus;       /* written to the caller's array: distinct APIC ids, in table order */
    unsigned dropped;    /* did not fit there */
    unsigned duplicates; /* the same APIC id again (type 0 and 9); the better use counts */
    unsigned invalid;    /* enabled, with APIC id 0xFF (type 0) or 0xFFFFFFFF (type 9) */
    unsigned empty;      /* the same, not enabled: places without a processor */
    unsigned too_short;  /* entries shorter than their type needs, skipped */
    unsigned unknown;    /* entries of other types, skipped */
    bool truncated;      /* stopped at an entry without a length, or leaving the table */
    bool wakeup_mailbox; /* type 0x10: INIT-SIPI is not to be used (TDX) */
};

/*
 * Read processors (type 0 and 9). Entries longer than their type needs are read, as later revisions
 * may extend them. `table` is a checked table of signature "APIC". False if it is shorter than its
 * fixed part.
 */
bool madt_parse(const uint8_t *table, size_t bytes, struct madt_cpu *cpus, unsigned max,
                struct madt *out);

#endif

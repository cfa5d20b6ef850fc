/* SPDX-License-Identifier: MIT */
#include "kernel/lib/acpi.h"
#include "kernel/lib/little_endian.h"

/* Fields of the RSDP (ACPI 6.5, 5.2.5.3) and of a table's header (5.2.6), as offsets. */
enum {
    RSDP_REVISION = 15,
    RSDP_RSDT = 16,
    RSDP_BYTES_V1 = 20, /* the first checksum covers these */
    RSDP_LENGTH = 20,   /* from here on: revision 2 */
    RSDP_XSDT = 24,
    RSDP_BYTES_V2 = 36,
    SDT_LENGTH = 4,
    SDT_HEADER = 36,
};

/* No real table is near this; a corrupt length must not make the checksum walk all of memory. */
#define TABLE_BYTES_MAX (16u << 20)

const char *acpi_status_text(enum acpi_status s)
{
    switch (s) {
    case ACPI_OK:
        return "found";
    case ACPI_NO_RSDP:
        return "no ACPI root pointer, or a damaged one";
    case ACPI_BAD_ROOT:
        return "the ACPI root table is unreadable or damaged";
    case ACPI_NOT_FOUND:
        return "no such ACPI table";
    case ACPI_BAD_TABLE:
        return "the ACPI table is unreadable or damaged";
    }
    return "unknown ACPI status";
}

static bool sums_to_zero(const uint8_t *at, size_t bytes)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < bytes; i++)
        sum = (uint8_t)(sum + at[i]);
    return sum == 0;
}

static bool has_signature(const uint8_t *at, const char *signature, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        if (at[i] != (uint8_t)signature[i])
            return false;
    }
    return true;
}

/* The whole table at `phys` if it is readable and its checksum right, else NULL. */
static const uint8_t *checked_table(acpi_memory memory, uint64_t phys, size_t *bytes)
{
    const uint8_t *header = memory(phys, SDT_HEADER);

    if (!header)
        return NULL;

    size_t length = read_le(header + SDT_LENGTH, 4);

    if (length < SDT_HEADER || length > TABLE_BYTES_MAX)
        return NULL;

    const uint8_t *table = memory(phys, length);

    if (!table || !sums_to_zero(table, length))
        return NULL;
    *bytes = length;
    return table;
}

/* Look through the RSDT (entry_bytes 4) or XSDT (8) at `root_phys`. */
static enum acpi_status search_root(acpi_memory memory, uint64_t root_phys, unsigned entry_bytes,
                                    const char *signature, const uint8_t **table, size_t *bytes)
{
    enum acpi_status status = ACPI_NOT_FOUND;
    size_t root_bytes;
    const uint8_t *root = root_phys ? checked_table(memory, root_phys, &root_bytes) : NULL;

    if (!root || !has_signature(root, entry_bytes == 8 ? "XSDT" : "RSDT", 4))
        return ACPI_BAD_ROOT;

    for (size_t at = SDT_HEADER; at + entry_bytes <= root_bytes; at += entry_bytes) {
        uint64_t phys = read_le(root + at, entry_bytes);
        const uint8_t *header = memory(phys, SDT_HEADER);

        if (!header || !has_signature(header, signature, 4))
            continue;
        *table = checked_table(memory, phys, bytes);
        if (*table)
            return ACPI_OK;
        status = ACPI_BAD_TABLE;
    }
    return status;
}

enum acpi_status acpi_find(acpi_memory memory, uint64_t rsdp_phys, const char signature[static 4],
                           const uint8_t **table, size_t *bytes)
{
    enum acpi_status from_xsdt = ACPI_BAD_ROOT;
    const uint8_t *rsdp = rsdp_phys ? memory(rsdp_phys, RSDP_BYTES_V1) : NULL;

    *table = NULL;
    *bytes = 0;
    if (!rsdp || !has_signature(rsdp, "RSD PTR ", 8) || !sums_to_zero(rsdp, RSDP_BYTES_V1))
        return ACPI_NO_RSDP;

    uint64_t rsdt_phys = read_le(rsdp + RSDP_RSDT, 4);

    if (rsdp[RSDP_REVISION] >= 2) {
        rsdp = memory(rsdp_phys, RSDP_BYTES_V2);
        if (!rsdp)
            return ACPI_NO_RSDP;

        size_t length = read_le(rsdp + RSDP_LENGTH, 4);

        if (length < RSDP_BYTES_V2 || length > TABLE_BYTES_MAX)
            return ACPI_NO_RSDP;
        rsdp = memory(rsdp_phys, length);
        if (!rsdp || !sums_to_zero(rsdp, length))
            return ACPI_NO_RSDP;
        from_xsdt = search_root(memory, read_le(rsdp + RSDP_XSDT, 8), 8, signature, table, bytes);
        if (from_xsdt == ACPI_OK)
            return ACPI_OK;
    }

    enum acpi_status from_rsdt = search_root(memory, rsdt_phys, 4, signature, table, bytes);

    if (from_rsdt == ACPI_OK)
        return ACPI_OK;
    /* The one that came further says more; the enum is in that order. */
    return from_xsdt > from_rsdt ? from_xsdt : from_rsdt;
}

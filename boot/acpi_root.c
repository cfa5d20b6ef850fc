/* SPDX-License-Identifier: MIT */
#include "boot/acpi_root.h"

#include "boot/firmware.h"
#include "kernel/lib/string.h"

static uint64_t table_find(const EFI_GUID *guid)
{
    const EFI_SYSTEM_TABLE *t = firmware.table;

    for (UINTN i = 0; i < t->NumberOfTableEntries; i++) {
        if (memcmp(&t->ConfigurationTable[i].VendorGuid, guid, sizeof(*guid)) == 0)
            return (uint64_t)t->ConfigurationTable[i].VendorTable;
    }
    return 0;
}

uint64_t acpi_root_find(void)
{
    static const EFI_GUID acpi_20 = ACPI_20_TABLE_GUID;
    static const EFI_GUID acpi_10 = ACPI_TABLE_GUID;

    uint64_t root = table_find(&acpi_20);
    return root != 0 ? root : table_find(&acpi_10);
}

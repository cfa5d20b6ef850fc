/* SPDX-License-Identifier: MIT */
#include "boot/memory_map.h"

#include "boot/boot_info.h"
#include "boot/efi_status.h"
#include "boot/firmware.h"
#include "boot/say.h"

/* Entries by which the map may grow through the allocations that are made to hold it. */
#define SLACK 16
#define TRIES 8

static enum boot_mem_kind kind_of(uint32_t efi_type)
{
    switch (efi_type) {
    case EfiConventionalMemory:
        return BOOT_MEM_FREE;
    case EfiLoaderCode:
    case EfiLoaderData:
        return BOOT_MEM_LOADER;
    case EfiBootServicesCode:
    case EfiBootServicesData:
    case EfiRuntimeServicesCode:
    case EfiRuntimeServicesData:
        return BOOT_MEM_FIRMWARE;
    case EfiACPIReclaimMemory:
    case EfiACPIMemoryNVS:
        return BOOT_MEM_ACPI;
    case EfiMemoryMappedIO:
    case EfiMemoryMappedIOPortSpace:
        return BOOT_MEM_MMIO;
    default: /* types of later specifications too: unknown memory is nobody's */
        return BOOT_MEM_RESERVED;
    }
}

/* The map as the firmware writes it. */
struct raw_map {
    char *at;
    UINTN room, bytes, step; /* of the memory; of the map; from one entry to the next */
};

/* EFI_BUFFER_TOO_SMALL sets `bytes` and `step` all the same. */
static EFI_STATUS get_map(struct raw_map *m)
{
    UINTN key;
    UINT32 version;

    m->bytes = m->room;
    return firmware.services->GetMemoryMap(&m->bytes, (void *)m->at, &key, &m->step, &version);
}

/* Memory that is taken for the map may make it longer, so ask again until it fits. */
static EFI_STATUS get_whole_map(struct raw_map *m)
{
    EFI_STATUS status = get_map(m);

    for (unsigned i = 0; i < TRIES && status == EFI_BUFFER_TOO_SMALL; i++) {
        if (m->step < sizeof(EFI_MEMORY_DESCRIPTOR))
            return EFI_UNSUPPORTED;
        if (m->at)
            firmware.services->FreePages((uint64_t)m->at, pages_of(m->room));
        m->room = m->bytes + SLACK * m->step;
        m->at = (char *)firmware_alloc(pages_of(m->room), "the memory map");
        status = get_map(m);
    }
    if (!EFI_ERROR(status) && m->step < sizeof(EFI_MEMORY_DESCRIPTOR))
        return EFI_UNSUPPORTED;
    return status;
}

void memory_map_collect(struct boot_info *info)
{
    struct raw_map m = { 0 };

    EFI_STATUS status = get_whole_map(&m);
    if (EFI_ERROR(status))
        bail(status, "the firmware's memory map cannot be read (GetMemoryMap: %s)",
             efi_status_name(status));
    /* The last memory that is taken; then once more, so that the map shows it. */
    struct boot_range *ranges =
        (void *)firmware_alloc(pages_of(m.room / m.step * sizeof(*ranges)), "the memory map");
    status = get_map(&m);
    if (EFI_ERROR(status))
        bail(status, "the firmware's memory map cannot be read (GetMemoryMap: %s)",
             efi_status_name(status));

    for (UINTN at = 0; at + m.step <= m.bytes; at += m.step) {
        const EFI_MEMORY_DESCRIPTOR *d = (const void *)(m.at + at);
        ranges[info->range_count++] = (struct boot_range){
            .base = d->PhysicalStart,
            .pages = d->NumberOfPages,
            .kind = kind_of(d->Type),
            .efi_type = d->Type,
        };
    }
    info->ranges = (uint64_t)ranges;
}

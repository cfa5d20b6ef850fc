/* SPDX-License-Identifier: MIT */
#include "boot/memory_map.h"

#include "boot/boot_info.h"
#include "boot/firmware.h"
#include "boot/say.h"

/* Entries by which the map may grow through the allocations that are made to hold it. */
#define SLACK 16

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

void memory_map_collect(struct boot_info *info)
{
    UINTN bytes = 0, key, step = 0;
    UINT32 version;

    /* Fails, and says how large the map is and how far apart its entries are. */
    firmware.services->GetMemoryMap(&bytes, NULL, &key, &step, &version);
    if (step < sizeof(EFI_MEMORY_DESCRIPTOR))
        bail(EFI_UNSUPPORTED, "the firmware's memory map cannot be read");
    bytes += SLACK * step;

    char *map = (char *)firmware_alloc(pages_of(bytes), "the memory map");
    struct boot_range *ranges =
        (void *)firmware_alloc(pages_of(bytes / step * sizeof(*ranges)), "the memory map");

    EFI_STATUS status = firmware.services->GetMemoryMap(&bytes, (void *)map, &key, &step, &version);
    if (EFI_ERROR(status))
        bail(status, "the firmware's memory map cannot be read");
    for (UINTN at = 0; at + step <= bytes; at += step) {
        const EFI_MEMORY_DESCRIPTOR *d = (const void *)(map + at);
        ranges[info->range_count++] = (struct boot_range){
            .base = d->PhysicalStart,
            .pages = d->NumberOfPages,
            .kind = kind_of(d->Type),
            .efi_type = d->Type,
        };
    }
    info->ranges = (uint64_t)ranges;
}

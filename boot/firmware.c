/* SPDX-License-Identifier: MIT */
#include "boot/firmware.h"

#include "boot/efi_status.h"
#include "boot/say.h"
#include "kernel/lib/string.h"

struct firmware firmware;

void firmware_init(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
    static EFI_GUID loaded_image_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;

    firmware.image = image;
    firmware.table = table;
    firmware.services = table->BootServices;
    firmware.services->SetWatchdogTimer(0, 0, 0, NULL);

    EFI_STATUS status =
        firmware.services->HandleProtocol(image, &loaded_image_guid, (void **)&firmware.loaded);
    if (EFI_ERROR(status))
        bail(status, "the firmware does not say where this program was loaded from (%s)",
             efi_status_name(status));
}

uint64_t firmware_alloc_below(uint64_t last_byte, size_t pages)
{
    EFI_PHYSICAL_ADDRESS address = last_byte;
    EFI_STATUS status =
        firmware.services->AllocatePages(AllocateMaxAddress, EfiLoaderData, pages, &address);
    return EFI_ERROR(status) ? 0 : address;
}

uint64_t firmware_alloc(size_t pages, const char *what)
{
    uint64_t address = firmware_alloc_below(UINT32_MAX, pages);
    if (address == 0)
        bail(EFI_OUT_OF_RESOURCES, "no %llu KiB of memory below 4 GiB for %s",
             (unsigned long long)pages * EFI_PAGE_SIZE / 1024, what);
    memset((void *)address, 0, pages * EFI_PAGE_SIZE);
    return address;
}

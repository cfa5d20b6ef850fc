/* SPDX-License-Identifier: MIT */
#include "boot/volume.h"

#include "boot/firmware.h"

static EFI_GUID file_system_guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;

EFI_FILE *volume_open(EFI_HANDLE device)
{
    EFI_FILE_IO_INTERFACE *volume;
    EFI_FILE *root;

    /* The image has no device if it came from memory or the network. */
    if (!device ||
        EFI_ERROR(firmware.services->HandleProtocol(device, &file_system_guid, (void **)&volume)))
        return NULL;
    return EFI_ERROR(volume->OpenVolume(volume, &root)) ? NULL : root;
}

UINT64 volume_free(EFI_HANDLE device)
{
    static EFI_GUID guid = EFI_FILE_SYSTEM_INFO_ID;
    union {
        EFI_FILE_SYSTEM_INFO info;
        char bytes[512]; /* with the volume's label */
    } buffer;
    UINTN bytes = sizeof(buffer);
    EFI_FILE *root = volume_open(device);

    if (!root)
        return 0;
    EFI_STATUS status = root->GetInfo(root, &guid, &bytes, &buffer);
    root->Close(root);
    return EFI_ERROR(status) ? 0 : buffer.info.FreeSpace;
}

void volume_connect_all(void)
{
    EFI_HANDLE *handles;
    UINTN count;

    if (EFI_ERROR(firmware.services->LocateHandleBuffer(AllHandles, NULL, NULL, &count, &handles)))
        return;
    for (UINTN i = 0; i < count; i++)
        firmware.services->ConnectController(handles[i], NULL, NULL, TRUE);
    firmware.services->FreePool(handles);
}

UINTN volume_list(EFI_HANDLE **devices)
{
    UINTN count = 0;

    *devices = NULL;
    if (EFI_ERROR(firmware.services->LocateHandleBuffer(ByProtocol, &file_system_guid, NULL, &count,
                                                        devices)))
        return 0;
    return count;
}

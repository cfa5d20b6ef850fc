/* SPDX-License-Identifier: MIT */
/*
 * An EFI program that stands before the loader on the tests' image, and makes of the virtual
 * machine's firmware one that hands over what newer machines do: 5-level paging on, x2APIC mode on.
 * What the processor has not stays off. Then it starts \crossmod.efi of its own volume.
 */
#include <efi.h>

#include "kernel/cpu/regs.h"

#define PATH L"\\crossmod.efi"

#define APIC_BASE_X2APIC (1ull << 10)

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);
void five_levels_on(uint64_t top); /* five_levels.asm */

static EFI_SYSTEM_TABLE *system;

static void say(CHAR16 *text)
{
    system->ConOut->OutputString(system->ConOut, text);
}

static EFI_STATUS use_five_levels(void)
{
    EFI_PHYSICAL_ADDRESS page = UINT32_MAX;

    if (!(cpuid_basic(7, 0).ecx >> 16 & 1) || (read_cr4() & CR4_LA57))
        return EFI_SUCCESS;
    EFI_STATUS status =
        system->BootServices->AllocatePages(AllocateMaxAddress, EfiBootServicesData, 1, &page);
    if (EFI_ERROR(status))
        return status;
    uint64_t *top = (uint64_t *)page;
    system->BootServices->SetMem(top, EFI_PAGE_SIZE, 0);
    top[0] = (read_cr3() & ~0xfffull) | 3; /* present, writable: what lies below decides */
    five_levels_on(page);
    say(L"prelude: 5-level paging is on\r\n");
    return EFI_SUCCESS;
}

static void use_x2apic(void)
{
    uint64_t base = rdmsr(MSR_APIC_BASE);

    if (!(cpuid(1, 0).ecx >> 21 & 1) || (base & APIC_BASE_X2APIC))
        return;
    wrmsr(MSR_APIC_BASE, base | APIC_BASE_X2APIC);
    say(L"prelude: x2APIC mode is on\r\n");
}

/* \crossmod.efi of the volume that `own` came from, in memory. */
static EFI_STATUS read_program(EFI_LOADED_IMAGE *own, VOID **program, UINTN *bytes)
{
    static EFI_GUID file_system = SIMPLE_FILE_SYSTEM_PROTOCOL, file_info = EFI_FILE_INFO_ID;
    EFI_BOOT_SERVICES *services = system->BootServices;
    EFI_FILE_IO_INTERFACE *volume;
    EFI_FILE_HANDLE root, file;
    UINT64 info[64];
    UINTN info_bytes = sizeof info;

    EFI_STATUS s = services->HandleProtocol(own->DeviceHandle, &file_system, (VOID **)&volume);
    if (!EFI_ERROR(s))
        s = volume->OpenVolume(volume, &root);
    if (!EFI_ERROR(s))
        s = root->Open(root, &file, PATH, EFI_FILE_MODE_READ, 0);
    if (!EFI_ERROR(s))
        s = file->GetInfo(file, &file_info, &info_bytes, info);
    if (EFI_ERROR(s))
        return s;
    *bytes = ((EFI_FILE_INFO *)info)->FileSize;
    s = services->AllocatePool(EfiBootServicesData, *bytes, program);
    return EFI_ERROR(s) ? s : file->Read(file, bytes, *program);
}

static EFI_STATUS start(EFI_HANDLE image)
{
    static EFI_GUID loaded_image = LOADED_IMAGE_PROTOCOL, device_path = DEVICE_PATH_PROTOCOL;
    EFI_BOOT_SERVICES *services = system->BootServices;
    EFI_LOADED_IMAGE *own;
    EFI_DEVICE_PATH *path;
    EFI_HANDLE next;
    VOID *program;
    UINTN bytes;

    EFI_STATUS s = services->HandleProtocol(image, &loaded_image, (VOID **)&own);
    if (!EFI_ERROR(s))
        s = services->HandleProtocol(own->DeviceHandle, &device_path, (VOID **)&path);
    if (!EFI_ERROR(s))
        s = read_program(own, &program, &bytes);
    if (!EFI_ERROR(s))
        s = services->LoadImage(FALSE, image, path, program, bytes, &next);
    if (!EFI_ERROR(s))
        s = use_five_levels();
    if (EFI_ERROR(s))
        return s;
    use_x2apic();
    return services->StartImage(next, NULL, NULL);
}

/* crt0 calls this by the System V ABI. */
EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
    system = table;
    EFI_STATUS status = start(image);
    say(L"prelude: " PATH L" was not started\r\n");
    return status;
}

/* SPDX-License-Identifier: MIT */
/*
 * BOOTX64.EFI: the firmware's guest. Collects what the kernel needs, calls it like a function and
 * writes its report through the firmware's file system, slice by slice. Boot services stay alive
 * throughout.
 */
#include "boot/acpi_root.h"
#include "boot/boot_info.h"
#include "boot/cpu_check.h"
#include "boot/elf.h"
#include "boot/finish.h"
#include "boot/firmware.h"
#include "boot/framebuffer.h"
#include "boot/handoff.h"
#include "boot/kernel_image.h"
#include "boot/memory.h"
#include "boot/memory_map.h"
#include "boot/report.h"
#include "boot/say.h"
#include "boot/screen_lines.h"
#include "boot/words.h"
#include "kernel/exit.h"

extern const char crossmod_version[], crossmod_build[];

/* crt0 calls this by the System V ABI, not by the firmware's: it must not be EFIAPI. */
EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
    struct boot_info *info;
    struct elf_image kernel;
    struct handoff handoff;

    exit_init();
    firmware_init(image, table);
    say("Crossmod %s %s: taking over\n", crossmod_version, crossmod_build);
    cpu_check();

    info = memory_boot_info();
    words_collect(info);
    kernel_image_load(info, &kernel);
    memory_reserve(info);
    info->rsdp_phys = acpi_root_find();
    framebuffer_find(&info->framebuffer);
    handoff_prepare(info, &kernel, &handoff);
    report_begin(info);
    memory_map_collect(info); /* last: the memory is all allocated */

    uint64_t code;
    while ((code = handoff_run(&handoff, info)) == BOOT_GOES_ON) {
        screen_lines_begin(&info->framebuffer);
        report_slice(info);
    }
    screen_lines_begin(&info->framebuffer);

    report_end(info, code);
    finish(code);
}

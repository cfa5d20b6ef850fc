/* SPDX-License-Identifier: MIT */
#include "boot/kernel_image.h"

#include "boot/boot_info.h"
#include "boot/elf.h"
#include "boot/firmware.h"
#include "boot/say.h"
#include "kernel/lib/string.h"

/* boot/embedded_kernel.asm */
extern const char embedded_kernel[], embedded_kernel_end[];

void kernel_image_load(struct boot_info *info, struct elf_image *out)
{
    size_t bytes = (size_t)(embedded_kernel_end - embedded_kernel);
    const char *error = elf_parse(embedded_kernel, bytes, BOOT_KERNEL_BASE, out);

    if (error)
        bail(EFI_LOAD_ERROR, "the kernel in this program is damaged: %s", error);

    info->kernel_pages = pages_of(out->bytes);
    info->kernel_phys = firmware_alloc(info->kernel_pages, "the kernel");
    for (unsigned i = 0; i < out->count; i++) {
        const struct elf_segment *s = &out->segments[i];
        memcpy((char *)info->kernel_phys + s->offset, embedded_kernel + s->file, s->file_bytes);
    }
}

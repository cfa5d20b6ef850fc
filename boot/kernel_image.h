/* SPDX-License-Identifier: MIT */
#ifndef BOOT_KERNEL_IMAGE_H
#define BOOT_KERNEL_IMAGE_H

struct boot_info;
struct elf_image;

/*
 * Load the embedded kernel: allocate its image below 4 GiB, copy the segments, set
 * info->kernel_phys and kernel_pages, and describe it in `out`. Ends the loader with an error if
 * the file is damaged.
 */
void kernel_image_load(struct boot_info *info, struct elf_image *out);

#endif

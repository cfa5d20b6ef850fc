/* SPDX-License-Identifier: MIT */
#ifndef BOOT_HANDOFF_H
#define BOOT_HANDOFF_H

#include <stdint.h>

struct boot_info;
struct elf_image;

/* What the kernel runs on besides boot_info. */
struct handoff {
    uint64_t entry;     /* ELF entry, in the kernel's address space */
    uint64_t root;      /* bootstrap tables, for CR3 */
    uint64_t stack_top; /* identity-mapped, 16-byte aligned */
};

/* Build stack and tables for the kernel of `image`; fills in info->stub_phys and stub_pages. */
void handoff_prepare(struct boot_info *info, const struct elf_image *image, struct handoff *out);

/*
 * Run the kernel with the firmware's events held back, and return what it returned. Afterwards the
 * firmware works as before, but its MP services do not: their processors have been taken away.
 */
uint64_t handoff_run(const struct handoff *h, struct boot_info *info);

#endif

/* SPDX-License-Identifier: MIT */
/* The kernel's ELF file: its check, and what to load where. Pure. */
#ifndef BOOT_ELF_H
#define BOOT_ELF_H

#include <stddef.h>
#include <stdint.h>

#define ELF_SEGMENTS_MAX 8
#define ELF_IMAGE_MAX    0x1000000ull /* bytes; linker.ld asserts the same */

enum elf_flags { ELF_X = 1, ELF_W = 2, ELF_R = 4 };

struct elf_segment {
    uint64_t offset;     /* into the image, page aligned */
    uint64_t file;       /* offset into the file */
    uint64_t file_bytes; /* the rest, up to `bytes`, is zeros */
    uint64_t bytes;
    uint32_t flags; /* enum elf_flags; never ELF_W with ELF_X */
};

struct elf_image {
    uint64_t entry;
    uint64_t bytes; /* from the link address to the end of the last segment */
    unsigned count;
    struct elf_segment segments[ELF_SEGMENTS_MAX]; /* ascending, no two on one page */
};

/*
 * Check a static x86-64 executable of `bytes` bytes that is linked to `base`, and describe its
 * PT_LOAD segments. Returns NULL, or what is wrong as the end of a sentence. Reads nothing outside
 * the file.
 */
const char *elf_parse(const void *file, size_t bytes, uint64_t base, struct elf_image *out);

#endif

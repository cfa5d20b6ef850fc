/* SPDX-License-Identifier: MIT */
/* ELF-64 object file format, version 1.5; System V ABI, AMD64 supplement. */
#include "boot/elf.h"

#include "kernel/lib/string.h"

#define PAGE      4096ull
#define ET_EXEC   2
#define EM_X86_64 62
#define PT_LOAD   1
#define CLASS_64  2
#define DATA_LSB  1

struct elf_header {
    uint8_t magic[4];
    uint8_t class, data, version, abi[9];
    uint16_t type, machine;
    uint32_t version2;
    uint64_t entry, program_headers, section_headers;
    uint32_t flags;
    uint16_t size, program_header_size, program_header_count;
    uint16_t section_header_size, section_header_count, names;
};
_Static_assert(sizeof(struct elf_header) == 64, "Elf64_Ehdr");

struct elf_program_header {
    uint32_t type, flags;
    uint64_t file, virt, phys, file_bytes, bytes, align;
};
_Static_assert(sizeof(struct elf_program_header) == 56, "Elf64_Phdr");

static const char *check_header(const struct elf_header *h, size_t bytes)
{
    static const uint8_t magic[4] = { 0x7f, 'E', 'L', 'F' };

    if (bytes < sizeof(*h) || memcmp(h->magic, magic, sizeof(magic)) != 0)
        return "it is not an ELF file";
    if (h->class != CLASS_64 || h->data != DATA_LSB || h->machine != EM_X86_64)
        return "it is not for x86-64";
    if (h->type != ET_EXEC)
        return "it is not a static executable";
    if (h->program_header_size != sizeof(struct elf_program_header) || h->program_headers > bytes ||
        h->program_header_count > (bytes - h->program_headers) / sizeof(struct elf_program_header))
        return "its program headers are not within the file";
    return NULL;
}

/* `p` becomes the next segment of `out`, which ends so far at out->bytes. */
static const char *add_segment(const struct elf_program_header *p, size_t file_bytes, uint64_t base,
                               struct elf_image *out)
{
    uint64_t taken = (out->bytes + PAGE - 1) & ~(PAGE - 1);
    uint64_t offset = p->virt - base;

    if (out->count == ELF_SEGMENTS_MAX)
        return "it has too many segments";
    if (p->file > file_bytes || p->file_bytes > file_bytes - p->file || p->file_bytes > p->bytes)
        return "a segment is not within the file";
    if (p->virt < base || offset % PAGE != 0)
        return "a segment does not start on a page behind the link address";
    if (offset < taken)
        return "its segments overlap or are not in order";
    if (offset > ELF_IMAGE_MAX || p->bytes > ELF_IMAGE_MAX - offset)
        return "it is larger than 16 MiB";
    if ((p->flags & ELF_W) && (p->flags & ELF_X))
        return "a segment is both writable and executable";
    out->segments[out->count++] = (struct elf_segment){
        .offset = offset,
        .file = p->file,
        .file_bytes = p->file_bytes,
        .bytes = p->bytes,
        .flags = p->flags,
    };
    out->bytes = offset + p->bytes;
    return NULL;
}

static const char *check_image(const struct elf_image *image, uint64_t base)
{
    if (image->count == 0 || image->segments[0].offset != 0)
        return "it is not linked to the kernel's address";
    for (unsigned i = 0; i < image->count; i++) {
        const struct elf_segment *s = &image->segments[i];
        if ((s->flags & ELF_X) && image->entry - base - s->offset < s->file_bytes)
            return NULL;
    }
    return "its entry is not in executable code";
}

const char *elf_parse(const void *file, size_t bytes, uint64_t base, struct elf_image *out)
{
    const struct elf_header *header = file;
    const char *error = check_header(header, bytes);

    if (error)
        return error;
    *out = (struct elf_image){ .entry = header->entry };
    for (unsigned i = 0; i < header->program_header_count; i++) {
        struct elf_program_header p;
        /* A damaged offset need not be aligned. */
        memcpy(&p, (const char *)file + header->program_headers + i * sizeof(p), sizeof(p));
        if (p.type == PT_LOAD && p.bytes != 0)
            error = add_segment(&p, bytes, base, out);
        if (error)
            return error;
    }
    return check_image(out, base);
}

/* SPDX-License-Identifier: MIT */
#include "tests/host/host_test.h"

#include <elf.h> /* the C library's own declarations: a second opinion on the layout */
#include <stdbool.h>

#include "boot/elf.h"

#define BASE  0xffffffff80000000ull
#define BYTES 0x4000

/* A kernel in three segments: text, constants, data with a .bss. */
struct sample {
    Elf64_Ehdr header;
    Elf64_Phdr segments[4];
    uint8_t rest[BYTES - sizeof(Elf64_Ehdr) - 4 * sizeof(Elf64_Phdr)];
};
_Static_assert(sizeof(struct sample) == BYTES, "a sample without padding");

static void sample_make(struct sample *s)
{
    static const Elf64_Phdr segments[4] = {
        { PT_LOAD, PF_R | PF_X, 0x1000, BASE, BASE, 0x1000, 0x1000, 0x1000 },
        { PT_NOTE, PF_R, 0, 0, 0, 0x10, 0x10, 4 },
        { PT_LOAD, PF_R, 0x2000, BASE + 0x1000, 0, 0x10, 0x10, 0x1000 },
        { PT_LOAD, PF_R | PF_W, 0x3000, BASE + 0x2000, 0, 0x1000, 0x5000, 0x1000 },
    };
    memset(s, 0, sizeof(*s));
    memcpy(s->header.e_ident, "\177ELF\2\1\1", 7);
    s->header.e_type = ET_EXEC;
    s->header.e_machine = EM_X86_64;
    s->header.e_version = EV_CURRENT;
    s->header.e_entry = BASE + 0x20;
    s->header.e_phoff = offsetof(struct sample, segments);
    s->header.e_ehsize = sizeof(s->header);
    s->header.e_phentsize = sizeof(s->segments[0]);
    s->header.e_phnum = 4;
    memcpy(s->segments, segments, sizeof(segments));
}

/* Every description that is returned without an error must be safe to load. */
static void assert_loadable(const struct elf_image *image, size_t bytes)
{
    uint64_t end = 0;
    bool entry_is_code = false;

    assert_in_range(image->count, 1, ELF_SEGMENTS_MAX);
    for (unsigned i = 0; i < image->count; i++) {
        const struct elf_segment *g = &image->segments[i];
        assert_int_equal(g->offset % 4096, 0);
        assert_true(g->offset >= end);
        assert_true(g->file <= bytes && g->file_bytes <= bytes - g->file);
        assert_true(g->file_bytes <= g->bytes);
        assert_true((g->flags & (ELF_W | ELF_X)) != (ELF_W | ELF_X));
        end = g->offset + g->bytes;
        assert_in_range(end, 1, ELF_IMAGE_MAX);
        uint64_t entry = image->entry - BASE;
        entry_is_code |= (g->flags & ELF_X) && entry >= g->offset && entry < end;
    }
    assert_int_equal(image->bytes, end);
    assert_true(entry_is_code);
}

static void describes_a_good_file(void **state)
{
    static struct sample s;
    struct elf_image image;

    (void)state;
    sample_make(&s);
    assert_null(elf_parse(&s, BYTES, BASE, &image));
    assert_loadable(&image, BYTES);
    assert_int_equal(image.count, 3);
    assert_int_equal(image.entry, BASE + 0x20);
    assert_int_equal(image.bytes, 0x7000);
    assert_int_equal(image.segments[2].offset, 0x2000);
    assert_int_equal(image.segments[2].file, 0x3000);
    assert_int_equal(image.segments[2].file_bytes, 0x1000);
    assert_int_equal(image.segments[2].bytes, 0x5000);
    assert_int_equal(image.segments[2].flags, ELF_R | ELF_W);
}

/* Damage one field of a good file and expect this error. */
#define EXPECT_ERROR(field, value, text)                                                           \
    do {                                                                                           \
        sample_make(&s);                                                                           \
        s.field = value;                                                                           \
        const char *error = elf_parse(&s, BYTES, BASE, &image);                                    \
        assert_non_null(error);                                                                    \
        assert_string_equal(error, text);                                                          \
    } while (0)

static void names_each_damage(void **state)
{
    static const char outside[] = "a segment is not within the file";
    static const char headers[] = "its program headers are not within the file";
    static const char start[] = "a segment does not start on a page behind the link address";
    static const char order[] = "its segments overlap or are not in order";
    static const char large[] = "it is larger than 16 MiB";
    static const char entry[] = "its entry is not in executable code";
    static const char base[] = "it is not linked to the kernel's address";
    static struct sample s;
    struct elf_image image;

    (void)state;
    EXPECT_ERROR(header.e_ident[1], 'e', "it is not an ELF file");
    EXPECT_ERROR(header.e_ident[EI_CLASS], ELFCLASS32, "it is not for x86-64");
    EXPECT_ERROR(header.e_ident[EI_DATA], ELFDATA2MSB, "it is not for x86-64");
    EXPECT_ERROR(header.e_machine, EM_386, "it is not for x86-64");
    EXPECT_ERROR(header.e_type, ET_DYN, "it is not a static executable");
    EXPECT_ERROR(header.e_phentsize, 32, headers);
    EXPECT_ERROR(header.e_phoff, BYTES, headers);
    EXPECT_ERROR(header.e_phoff, UINT64_MAX, headers);
    EXPECT_ERROR(header.e_phnum, 0xffff, headers);
    EXPECT_ERROR(header.e_phnum, 0, base);
    EXPECT_ERROR(header.e_entry, BASE + 0x1000, entry);
    EXPECT_ERROR(header.e_entry, BASE - 1, entry);
    EXPECT_ERROR(segments[0].p_type, PT_NOTE, base);
    EXPECT_ERROR(segments[0].p_flags, PF_R, entry);
    EXPECT_ERROR(segments[0].p_flags, PF_R | PF_W | PF_X,
                 "a segment is both writable and executable");
    EXPECT_ERROR(segments[0].p_vaddr, BASE - 0x1000, start);
    EXPECT_ERROR(segments[0].p_vaddr, BASE + 8, start);
    EXPECT_ERROR(segments[0].p_offset, BYTES, outside);
    EXPECT_ERROR(segments[0].p_offset, UINT64_MAX, outside);
    EXPECT_ERROR(segments[0].p_filesz, UINT64_MAX, outside);
    EXPECT_ERROR(segments[0].p_memsz, 0x800, outside); /* less than in the file */
    EXPECT_ERROR(segments[0].p_memsz, 0x1001, order);
    EXPECT_ERROR(segments[3].p_vaddr, BASE + 0x1000, order);
    EXPECT_ERROR(segments[3].p_memsz, ELF_IMAGE_MAX - 0x2000 + 1, large);
    EXPECT_ERROR(segments[3].p_memsz, UINT64_MAX, large);
    EXPECT_ERROR(segments[3].p_vaddr, BASE + 0x10000000, large);
}

static void survives_cuts_and_mutations(void **state)
{
    static struct sample s;
    struct elf_image image;
    struct prng random = prng_stream(FUZZ_SEED, 0);
    unsigned long rounds = fuzz_rounds("elf_parse", 200000);
    unsigned long good = 0;

    (void)state;
    sample_make(&s);
    for (size_t bytes = 0; bytes < BYTES; bytes += 1 + bytes / 256) {
        void *cut = malloc(bytes + !bytes); /* exactly as large, for the sanitizer */
        memcpy(cut, &s, bytes);
        if (!elf_parse(cut, bytes, BASE, &image))
            assert_loadable(&image, bytes);
        free(cut);
    }

    uint8_t *file = malloc(BYTES);
    for (unsigned long round = 0; round < rounds; round++) {
        sample_make((struct sample *)file);
        for (unsigned n = 1 + prng_below(&random, 4); n > 0; n--) {
            size_t at = prng_below(&random, offsetof(struct sample, rest));
            file[at] = (uint8_t)prng_next(&random);
        }
        if (!elf_parse(file, BYTES, BASE, &image)) {
            assert_loadable(&image, BYTES);
            good++;
        }
    }
    free(file);
    /* Both ways must have been taken, or the fuzzing was blind. */
    assert_in_range(good, rounds / 100, rounds - rounds / 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(describes_a_good_file),
        cmocka_unit_test(names_each_damage),
        cmocka_unit_test(survives_cuts_and_mutations),
    };
    return cmocka_run_group_tests_name("boot/elf", tests, NULL, NULL);
}

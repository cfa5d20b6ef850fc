/* SPDX-License-Identifier: MIT */
#include "tests/host/host_test.h"

#include "kernel/lib/acpi.h"
#include "tests/host/acpi_image.h"

/* Where the image lies in the physical memory of these tests, and its parts inside it. */
#define BASE 0xf1000

struct layout {
    struct bytes image;
    size_t rsdp, xsdt, rsdt, facp, madt;
    size_t visible; /* bytes from BASE that are RAM */
};

static struct layout firmware;

/*
 * RAM is what is visible of the image. Each request gets a copy of its own of just the bytes asked
 * for, so that the sanitizer sees a read of one byte more than was asked.
 */
static void *lent[256];
static unsigned lent_count;

static const void *memory(uint64_t phys, size_t bytes)
{
    if (phys < BASE || phys - BASE > firmware.visible || bytes > firmware.visible - (phys - BASE))
        return NULL;
    assert_true(lent_count < sizeof(lent) / sizeof(lent[0]));
    lent[lent_count] = malloc(bytes ? bytes : 1);
    return memcpy(lent[lent_count++], firmware.image.at + (phys - BASE), bytes);
}

static void give_back(void)
{
    while (lent_count)
        free(lent[--lent_count]);
}

static void fix_rsdp(struct layout *f)
{
    fix_checksum(f->image.at, f->rsdp, f->rsdp + 20, f->rsdp + 8);
    fix_checksum(f->image.at, f->rsdp, f->rsdp + 36, f->rsdp + 32);
}

/* RSDP of revision 2, RSDT and XSDT that both name the same FACP and MADT. */
static void build(struct layout *f)
{
    struct bytes *b = &f->image;

    memset(f, 0, sizeof(*f));
    put_zeros(b, 16); /* so that address 0 of the image is no table */
    f->rsdp = b->used;
    put_zeros(b, 36);
    put_zeros(b, 4);

    f->madt = begin_madt(b, 5);
    put_lapic(b, 0, 0, FLAG_ENABLED);
    put_lapic(b, 1, 1, FLAG_ENABLED);
    put_x2apic(b, 2, 300, FLAG_ENABLED);
    end_table(b, f->madt);

    f->facp = begin_table(b, "FACP", 6);
    put_zeros(b, 20);
    end_table(b, f->facp);

    f->rsdt = begin_table(b, "RSDT", 1);
    put_le(b, 4, BASE + f->facp);
    put_le(b, 4, BASE + f->madt);
    end_table(b, f->rsdt);

    f->xsdt = begin_table(b, "XSDT", 1);
    put_le(b, 8, BASE + f->facp);
    put_le(b, 8, BASE + f->madt);
    end_table(b, f->xsdt);

    size_t end = b->used;

    b->used = f->rsdp;
    memcpy(b->at + b->used, "RSD PTR \0CRSMOD", 15);
    b->used += 15;
    put_le(b, 1, 2);
    put_le(b, 4, BASE + f->rsdt);
    put_le(b, 4, 36);
    put_le(b, 8, BASE + f->xsdt);
    b->used = end;
    fix_rsdp(f);
    f->visible = end;
}

static void build_without_rsdt(struct layout *f)
{
    build(f);
    memset(f->image.at + f->rsdp + 16, 0, 4);
    fix_rsdp(f);
}

static int set_up(void **state)
{
    (void)state;
    build(&firmware);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    give_back();
    return 0;
}

static const uint8_t *table;
static size_t bytes;

static enum acpi_status find(const char *signature)
{
    enum acpi_status status = acpi_find(memory, BASE + firmware.rsdp, signature, &table, &bytes);

    if (status == ACPI_OK) {
        assert_memory_equal(table, signature, 4);
    } else {
        assert_null(table);
        assert_int_equal(bytes, 0);
    }
    return status;
}

static size_t length_of(size_t at)
{
    uint32_t length;

    memcpy(&length, firmware.image.at + at + 4, 4);
    return length;
}

/* The table's checksum after a test has changed it. */
static void fix_table(size_t at)
{
    fix_checksum(firmware.image.at, at, at + length_of(at), at + 9);
}

static void both_roots(void **state)
{
    struct madt_cpu cpus[4];
    struct madt madt;

    (void)state;
    assert_int_equal(find("APIC"), ACPI_OK);
    assert_int_equal(bytes, length_of(firmware.madt));
    assert_memory_equal(table, firmware.image.at + firmware.madt, bytes);
    assert_true(madt_parse(table, bytes, cpus, 4, &madt));
    assert_int_equal(madt.cpus, 3);
    assert_int_equal(cpus[2].apic_id, 300);

    assert_int_equal(find("FACP"), ACPI_OK);
    assert_int_equal(find("HPET"), ACPI_NOT_FOUND);
}

static void revision_0_has_only_the_rsdt(void **state)
{
    (void)state;
    firmware.image.at[firmware.rsdp + 15] = 0;
    memset(firmware.image.at + firmware.rsdp + 20, 0xee, 16); /* not part of it */
    fix_checksum(firmware.image.at, firmware.rsdp, firmware.rsdp + 20, firmware.rsdp + 8);
    assert_int_equal(find("APIC"), ACPI_OK);
}

static void damaged_xsdt_leaves_the_rsdt(void **state)
{
    (void)state;
    firmware.image.at[firmware.xsdt + 12] ^= 1;
    assert_int_equal(find("APIC"), ACPI_OK);
    firmware.image.at[firmware.rsdt + 12] ^= 1;
    assert_int_equal(find("APIC"), ACPI_BAD_ROOT);
}

static void only_the_xsdt(void **state)
{
    (void)state;
    build_without_rsdt(&firmware);
    assert_int_equal(find("APIC"), ACPI_OK);
    firmware.image.at[firmware.xsdt + 12] ^= 1;
    assert_int_equal(find("APIC"), ACPI_BAD_ROOT);
}

static void no_root_pointer(void **state)
{
    (void)state;
    assert_int_equal(acpi_find(memory, 0, "APIC", &table, &bytes), ACPI_NO_RSDP);
    assert_int_equal(acpi_find(memory, BASE, "APIC", &table, &bytes), ACPI_NO_RSDP);
    assert_int_equal(acpi_find(memory, ~0ull, "APIC", &table, &bytes), ACPI_NO_RSDP);
    assert_int_equal(acpi_find(memory, BASE + firmware.visible - 5, "APIC", &table, &bytes),
                     ACPI_NO_RSDP);
}

/* The first of two is damaged: the second counts. */
static void first_valid_of_several(void **state)
{
    (void)state;
    memcpy(firmware.image.at + firmware.facp, "APIC", 4); /* breaks its checksum, too */
    assert_int_equal(find("APIC"), ACPI_OK);
    assert_memory_equal(table, firmware.image.at + firmware.madt, bytes);
    firmware.image.at[firmware.madt + 12] ^= 1;
    assert_int_equal(find("APIC"), ACPI_BAD_TABLE);
}

static void bad_lengths(void **state)
{
    static const uint32_t lengths[] = { 0, 1, 7, 35, 0x1000, 0x00ffffff, 0x7fffffff, 0xffffffff };
    const size_t tables[] = { firmware.madt, firmware.xsdt };

    (void)state;
    for (unsigned t = 0; t < 2; t++) {
        for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
            build_without_rsdt(&firmware);
            memcpy(firmware.image.at + tables[t] + 4, &lengths[i], 4);
            assert_int_equal(find("APIC"), t ? ACPI_BAD_ROOT : ACPI_BAD_TABLE);
            give_back();
        }
    }
    for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        build(&firmware);
        memcpy(firmware.image.at + firmware.rsdp + 20, &lengths[i], 4);
        fix_rsdp(&firmware);
        assert_int_equal(find("APIC"), ACPI_NO_RSDP);
        give_back();
    }
}

/* A root without entries, one with a part of an entry, and entries that point nowhere. */
static void odd_roots(void **state)
{
    static const uint64_t nowhere[] = { 0, BASE - 1, BASE + 0x100000, ~0ull, ~0ull - 16 };
    uint32_t length;

    (void)state;
    for (length = 36; length < 36 + 16; length++) {
        build_without_rsdt(&firmware);
        memcpy(firmware.image.at + firmware.xsdt + 4, &length, 4);
        fix_table(firmware.xsdt);
        assert_int_equal(find("APIC"), ACPI_NOT_FOUND);
        give_back();
    }
    for (unsigned i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
        build_without_rsdt(&firmware);
        memcpy(firmware.image.at + firmware.xsdt + 36, &nowhere[i], 8);
        fix_table(firmware.xsdt);
        assert_int_equal(find("APIC"), ACPI_OK);
        assert_int_equal(find("FACP"), ACPI_NOT_FOUND);
        give_back();
    }
}

/*
 * Damage one byte in every way. `size`: of the part; a changed length is the only way to a right
 * sum.
 */
static void corrupt_each_byte(size_t part, size_t size, size_t length_field)
{
    for (size_t i = 0; i < size; i++) {
        for (unsigned flip = 1; flip < 256; flip++) {
            build_without_rsdt(&firmware);
            firmware.image.at[part + i] ^= (uint8_t)flip;

            enum acpi_status status = find("APIC");

            if (i < length_field || i >= length_field + 4)
                assert_int_not_equal(status, ACPI_OK);
            give_back();
        }
    }
}

static void every_corrupt_byte_is_noticed(void **state)
{
    (void)state;
    build_without_rsdt(&firmware);
    corrupt_each_byte(firmware.rsdp, 36, 20);
    corrupt_each_byte(firmware.xsdt, length_of(firmware.xsdt), 4);
    corrupt_each_byte(firmware.madt, length_of(firmware.madt), 4);
}

/*
 * Memory that ends anywhere: found exactly as long as the table and a root that leads to it are
 * there.
 */
static void every_truncation(void **state)
{
    size_t whole = firmware.visible;
    size_t least = firmware.rsdt + length_of(firmware.rsdt);

    (void)state;
    for (size_t visible = 0; visible <= whole; visible++) {
        firmware.visible = visible;
        assert_int_equal(find("APIC") == ACPI_OK, visible >= least);
        give_back();
    }
}

static void fix_random_checksums(struct prng *random)
{
    const size_t tables[] = { firmware.madt, firmware.facp, firmware.rsdt, firmware.xsdt };

    for (unsigned i = 0; i < 4; i++) {
        if (prng_below(random, 8) && tables[i] + length_of(tables[i]) <= firmware.visible)
            fix_table(tables[i]);
    }
    if (prng_below(random, 8))
        fix_rsdp(&firmware);
}

static void mutations(void **state)
{
    unsigned long rounds = fuzz_rounds("acpi_find", 200000), found = 0;
    struct prng random = { FUZZ_SEED };
    struct layout whole;

    (void)state;
    build(&whole);
    for (unsigned long round = 0; round < rounds; round++) {
        struct madt_cpu cpus[4];
        struct madt madt;

        firmware = whole;
        for (unsigned i = 1 + prng_below(&random, 8); i--;)
            firmware.image.at[prng_below(&random, (uint32_t)whole.visible)] =
                (uint8_t)prng_next(&random);
        fix_random_checksums(&random);
        if (prng_below(&random, 8) == 0)
            firmware.visible = prng_below(&random, (uint32_t)whole.visible);
        if (find("APIC") == ACPI_OK) {
            found++;
            madt_parse(table, bytes, cpus, 4, &madt);
            assert_in_range(madt.cpus, 0, 4);
        }
        give_back();
    }
    if (rounds >= 1000)
        assert_in_range(found, rounds / 10, rounds - rounds / 10);
}

static void each_status_has_a_text(void **state)
{
    (void)state;
    for (unsigned s = ACPI_OK; s <= ACPI_BAD_TABLE; s++) {
        for (unsigned other = ACPI_OK; other < s; other++)
            assert_string_not_equal(acpi_status_text(s), acpi_status_text(other));
    }
}

#define ACPI_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ACPI_TEST(both_roots),
        ACPI_TEST(revision_0_has_only_the_rsdt),
        ACPI_TEST(damaged_xsdt_leaves_the_rsdt),
        ACPI_TEST(only_the_xsdt),
        ACPI_TEST(no_root_pointer),
        ACPI_TEST(first_valid_of_several),
        ACPI_TEST(bad_lengths),
        ACPI_TEST(odd_roots),
        ACPI_TEST(every_corrupt_byte_is_noticed),
        ACPI_TEST(every_truncation),
        ACPI_TEST(mutations),
        ACPI_TEST(each_status_has_a_text),
    };

    return cmocka_run_group_tests_name("acpi", tests, NULL, NULL);
}

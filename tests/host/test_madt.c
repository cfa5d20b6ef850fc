/* SPDX-License-Identifier: MIT */
#include "tests/host/host_test.h"

#include "kernel/lib/acpi.h"
#include "tests/host/acpi_image.h"

#define MAX 64

static struct madt_cpu cpus[MAX];
static struct madt madt;

/* Parse a copy of exactly this size, so that the sanitizer sees a read behind its end. */
static bool parse_exact(const uint8_t *table, size_t bytes, unsigned max)
{
    uint8_t *exact = malloc(bytes ? bytes : 1);
    struct madt_cpu *room = malloc(max ? max * sizeof(*room) : 1);

    memcpy(exact, table, bytes);
    memset(cpus, 0xee, sizeof(cpus));
    bool ok = madt_parse(exact, bytes, room, max, &madt);
    assert_in_range(madt.cpus, 0, max);
    memcpy(cpus, room, madt.cpus * sizeof(*room));
    free(room);
    free(exact);
    return ok;
}

static void parse(const struct bytes *b)
{
    assert_true(parse_exact(b->at, b->used, MAX));
}

static void assert_cpu(unsigned i, uint32_t apic_id, uint32_t uid, enum madt_use use)
{
    assert_int_equal(cpus[i].apic_id, apic_id);
    assert_int_equal(cpus[i].uid, uid);
    assert_int_equal(cpus[i].use, use);
}

/* As QEMU writes it for 4 cores: with I/O APIC, interrupt overrides and an NMI line between. */
static void usual_table(void **state)
{
    struct bytes b = { .used = 0 };

    (void)state;
    size_t start = begin_madt(&b, 3);
    for (uint8_t i = 0; i < 4; i++)
        put_lapic(&b, i, i, FLAG_ENABLED);
    put_other(&b, 1, 12);
    put_other(&b, 2, 10);
    put_other(&b, 4, 6);
    end_table(&b, start);

    parse(&b);
    assert_int_equal(madt.cpus, 4);
    for (unsigned i = 0; i < 4; i++)
        assert_cpu(i, i, i, MADT_ENABLED);
    assert_int_equal(madt.lapic_phys, 0xfee00000);
    assert_int_equal(madt.unknown, 3);
    assert_int_equal(madt.duplicates + madt.dropped + madt.invalid, 0);
    assert_false(madt.truncated);
    assert_false(madt.wakeup_mailbox);
}

static void x2apic_ids_above_255(void **state)
{
    struct bytes b = { .used = 0 };

    (void)state;
    size_t start = begin_madt(&b, 5);
    put_lapic(&b, 1, 254, FLAG_ENABLED);
    put_x2apic(&b, 0x10002, 256, FLAG_ENABLED);
    put_x2apic(&b, 0x10003, 0xfffffffe, FLAG_ENABLED);
    put_x2apic(&b, 4, 255, FLAG_ENABLED); /* 255 is a good x2APIC id */
    end_table(&b, start);

    parse(&b);
    assert_int_equal(madt.cpus, 4);
    assert_cpu(0, 254, 1, MADT_ENABLED);
    assert_cpu(1, 256, 0x10002, MADT_ENABLED);
    assert_cpu(2, 0xfffffffe, 0x10003, MADT_ENABLED);
    assert_cpu(3, 255, 4, MADT_ENABLED);
}

static void uses(void **state)
{
    struct bytes b = { .used = 0 };

    (void)state;
    size_t start = begin_madt(&b, 5);
    put_lapic(&b, 0, 0, FLAG_ENABLED);
    put_lapic(&b, 1, 1, FLAG_ONLINE_CAPABLE);
    put_lapic(&b, 2, 2, 0);
    put_x2apic(&b, 3, 3, FLAG_ENABLED | FLAG_ONLINE_CAPABLE);
    put_x2apic(&b, 4, 4, FLAG_ONLINE_CAPABLE);
    put_x2apic(&b, 5, 5, ~3u);
    end_table(&b, start);

    parse(&b);
    assert_int_equal(madt.cpus, 6);
    assert_cpu(0, 0, 0, MADT_ENABLED);
    assert_cpu(1, 1, 1, MADT_ONLINE_CAPABLE);
    assert_cpu(2, 2, 2, MADT_DISABLED);
    assert_cpu(3, 3, 3, MADT_ENABLED);
    assert_cpu(4, 4, 4, MADT_ONLINE_CAPABLE);
    assert_cpu(5, 5, 5, MADT_DISABLED);

    b.at[start + 8] = 4; /* the bit has no meaning in revision 4 */
    parse(&b);
    assert_cpu(1, 1, 1, MADT_DISABLED);
    assert_cpu(4, 4, 4, MADT_DISABLED);
}

static void invalid_ids(void **state)
{
    struct bytes b = { .used = 0 };

    (void)state;
    size_t start = begin_madt(&b, 5);
    put_lapic(&b, 0, 0xff, FLAG_ENABLED);
    put_x2apic(&b, 1, 0xffffffff, FLAG_ENABLED);
    put_lapic(&b, 2, 2, FLAG_ENABLED);
    put_lapic(&b, 3, 0xff, 0); /* as boards list sockets and cores that they do not have */
    put_lapic(&b, 4, 0xff, FLAG_ONLINE_CAPABLE);
    put_x2apic(&b, 5, 0xffffffff, 0);
    end_table(&b, start);

    parse(&b);
    assert_int_equal(madt.cpus, 1);
    assert_int_equal(madt.invalid, 2);
    assert_int_equal(madt.empty, 3);
    assert_cpu(0, 2, 2, MADT_ENABLED);
}

static void duplicates(void **state)
{
    struct bytes b = { .used = 0 };

    (void)state;
    size_t start = begin_madt(&b, 5);
    put_lapic(&b, 0, 7, FLAG_ENABLED);
    put_lapic(&b, 1, 8, 0); /* a placeholder of the core that comes below */
    put_x2apic(&b, 10, 7, 0);
    put_x2apic(&b, 11, 8, FLAG_ENABLED);
    put_x2apic(&b, 12, 8, FLAG_ONLINE_CAPABLE);
    end_table(&b, start);

    parse(&b);
    assert_int_equal(madt.cpus, 2);
    assert_int_equal(madt.duplicates, 3);
    assert_cpu(0, 7, 0, MADT_ENABLED);
    assert_cpu(1, 8, 11, MADT_ENABLED);
}

static void more_cores_than_room(void **state)
{
    struct bytes b = { .used = 0 };

    (void)state;
    size_t start = begin_madt(&b, 3);
    for (uint8_t i = 0; i < 10; i++)
        put_lapic(&b, i, i, FLAG_ENABLED);
    end_table(&b, start);

    assert_true(parse_exact(b.at, b.used, 8));
    assert_int_equal(madt.cpus, 8);
    assert_int_equal(madt.dropped, 2);
    assert_true(parse_exact(b.at, b.used, 0));
    assert_int_equal(madt.dropped, 10);
}

static void override_and_wakeup(void **state)
{
    struct bytes b = { .used = 0 };

    (void)state;
    size_t start = begin_madt(&b, 5);
    put_lapic_override(&b, 0x1234567fee00000);
    put_wakeup(&b);
    end_table(&b, start);

    parse(&b);
    assert_int_equal(madt.lapic_phys, 0x1234567fee00000);
    assert_true(madt.wakeup_mailbox);
    assert_int_equal(madt.cpus, 0);
    assert_false(madt.truncated);
}

/*
 * As ASRock's X399 Taichi lists 32 threads, by the published dump of its tables: first one of each
 * core, then the others, then 96 places without a processor, all of which claim the boot core's id.
 */
static void threads_last_and_empty_places(void **state)
{
    struct bytes b = { .used = 0 };

    (void)state;
    size_t start = begin_madt(&b, 3);
    for (uint8_t thread = 0; thread < 2; thread++)
        for (uint8_t core = 0; core < 16; core++)
            put_lapic(&b, (uint8_t)(2 * core + thread), (uint8_t)(2 * core + thread), FLAG_ENABLED);
    for (uint8_t uid = 32; uid < 128; uid++)
        put_lapic(&b, uid, 0, 0);
    put_other(&b, 1, 12);
    put_other(&b, 1, 12);
    put_other(&b, 2, 10);
    put_other(&b, 2, 10);
    for (unsigned i = 0; i < 3; i++)
        put_other(&b, 4, 6);
    end_table(&b, start);
    assert_int_equal(b.used, 0x46a);

    parse(&b);
    assert_int_equal(madt.cpus, 32);
    for (uint32_t i = 0; i < 32; i++) {
        uint32_t id = i < 16 ? 2 * i : 2 * (i - 16) + 1;

        assert_cpu(i, id, id, MADT_ENABLED);
    }
    assert_int_equal(madt.duplicates, 96);
    assert_int_equal(madt.unknown, 7);
}

/* The same the other way round: the empty places first, with a good id each (Dasharo's 1094). */
static void empty_places_first(void **state)
{
    struct bytes b = { .used = 0 };

    (void)state;
    size_t start = begin_madt(&b, 5);
    for (uint32_t uid = 0; uid < 40; uid++)
        put_x2apic(&b, uid, 3, 0);
    for (uint8_t i = 8; i--;)
        put_lapic(&b, i, i, FLAG_ENABLED);
    end_table(&b, start);

    parse(&b);
    assert_int_equal(madt.cpus, 8);
    assert_cpu(0, 3, 3, MADT_ENABLED);
    assert_cpu(1, 7, 7, MADT_ENABLED);
    assert_cpu(7, 0, 0, MADT_ENABLED);
    assert_int_equal(madt.duplicates, 40);
}

/* As the firmware of a virtual machine with 2 cores wrote it (read in its guest). */
static void recorded_firecracker(void **state)
{
    static const uint8_t table[] = {
        0x41, 0x50, 0x49, 0x43, 0x48, 0x00, 0x00, 0x00, 0x06, 0x56, 0x46, 0x49, 0x52, 0x45, 0x43,
        0x4b, 0x46, 0x43, 0x56, 0x4d, 0x4d, 0x41, 0x44, 0x54, 0x00, 0x00, 0x00, 0x00, 0x46, 0x43,
        0x41, 0x54, 0x19, 0x01, 0x24, 0x20, 0x00, 0x00, 0xe0, 0xfe, 0x00, 0x00, 0x00, 0x00, 0x01,
        0x0c, 0x00, 0x00, 0x00, 0x00, 0xc0, 0xfe, 0x00, 0x00, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00,
        0x01, 0x00, 0x00, 0x00, 0x00, 0x08, 0x01, 0x01, 0x01, 0x00, 0x00, 0x00,
    };

    (void)state;
    assert_true(parse_exact(table, sizeof(table), MAX));
    assert_int_equal(madt.cpus, 2);
    assert_cpu(0, 0, 0, MADT_ENABLED);
    assert_cpu(1, 1, 1, MADT_ENABLED);
    assert_int_equal(madt.unknown, 1);
    assert_false(madt.truncated);
}

/* Unknown types of any length are stepped over; known ones may have grown. */
static void odd_lengths(void **state)
{
    struct bytes b = { .used = 0 };

    (void)state;
    size_t start = begin_madt(&b, 5);
    put_other(&b, 0x7f, 2);
    put_other(&b, 0x80, 3);
    put_other(&b, 0xff, 255);
    put_lapic(&b, 1, 1, FLAG_ENABLED);
    b.at[b.used - 7] = 11;
    put_zeros(&b, 3);
    put_x2apic(&b, 2, 2, FLAG_ENABLED);
    b.at[b.used - 15] = 20;
    put_zeros(&b, 4);
    put_lapic(&b, 3, 3, FLAG_ENABLED);
    end_table(&b, start);

    parse(&b);
    assert_int_equal(madt.unknown, 3);
    assert_int_equal(madt.cpus, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_cpu(i, i + 1, i + 1, MADT_ENABLED);
    assert_false(madt.truncated);
}

/* Core 1, then an entry of this type and length, then core 2. */
static void parse_with(uint8_t type, uint8_t length)
{
    struct bytes b = { .used = 0 };
    size_t start = begin_madt(&b, 5);

    put_lapic(&b, 1, 1, FLAG_ENABLED);
    put_other(&b, type, length);
    if (length > 2)
        memset(b.at + b.used - (length - 2u), 0x01, length - 2u); /* enabled, if it is read */
    put_lapic(&b, 2, 2, FLAG_ENABLED);
    end_table(&b, start);
    parse(&b);
}

static void too_short_entries(void **state)
{
    static const struct {
        uint8_t type, least;
    } known[] = { { 0, 8 }, { 5, 12 }, { 9, 16 } };

    (void)state;
    for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        for (uint8_t length = 2; length < known[i].least; length++) {
            parse_with(known[i].type, length);
            assert_false(madt.truncated);
            assert_int_equal(madt.too_short, 1);
            assert_int_equal(madt.cpus, 2);
            assert_cpu(0, 1, 1, MADT_ENABLED);
            assert_cpu(1, 2, 2, MADT_ENABLED);
            assert_int_equal(madt.lapic_phys, 0xfee00000);
        }
    }
    /* No length leads on: what comes behind is unknown. */
    for (uint8_t length = 0; length < 2; length++) {
        parse_with(0x7f, length);
        assert_true(madt.truncated);
        assert_int_equal(madt.cpus, 1);
    }
}

/* However short or long: who has it wants to start no core by INIT. */
static void any_mailbox(void **state)
{
    (void)state;
    for (uint8_t length = 2; length < 40; length++) {
        parse_with(0x10, length);
        assert_true(madt.wakeup_mailbox);
        assert_int_equal(madt.cpus, 2);
        assert_int_equal(madt.too_short, 0);
    }
}

/*
 * Every length of the table from nothing to whole: cores whose entry is whole are found, and no
 * others.
 */
static void every_truncation(void **state)
{
    struct bytes b = { .used = 0 };

    (void)state;
    begin_madt(&b, 5);
    for (uint8_t i = 0; i < 4; i++)
        put_lapic(&b, i, i, FLAG_ENABLED);
    for (size_t bytes = 0; bytes <= b.used; bytes++) {
        assert_int_equal(parse_exact(b.at, bytes, MAX), bytes >= 44);
        if (bytes < 44)
            continue;
        assert_int_equal(madt.cpus, (bytes - 44) / 8);
        assert_int_equal(madt.truncated, (bytes - 44) % 8 != 0);
    }
}

static void mutations(void **state)
{
    unsigned long rounds = fuzz_rounds("madt_parse", 200000), truncated = 0;
    struct prng random = { FUZZ_SEED };
    struct bytes whole = { .used = 0 };

    (void)state;
    begin_madt(&whole, 5);
    for (uint8_t i = 0; i < 4; i++) {
        put_lapic(&whole, i, i, i);
        put_x2apic(&whole, i, i + 100u, i);
    }
    put_other(&whole, 0x42, 7);
    put_lapic_override(&whole, 1);
    put_wakeup(&whole);

    for (unsigned long round = 0; round < rounds; round++) {
        struct bytes b = whole;

        for (unsigned i = prng_below(&random, 8); i--;)
            b.at[prng_below(&random, (uint32_t)b.used)] = (uint8_t)prng_next(&random);
        if (prng_below(&random, 2))
            b.used = prng_below(&random, (uint32_t)b.used + 1);
        parse_exact(b.at, b.used, prng_below(&random, 9));
        truncated += madt.truncated;
        for (unsigned i = 0; i < madt.cpus; i++) {
            assert_int_not_equal(cpus[i].apic_id, 0xffffffff);
            assert_in_range(cpus[i].use, MADT_ENABLED, MADT_DISABLED);
            for (unsigned k = 0; k < i; k++)
                assert_int_not_equal(cpus[i].apic_id, cpus[k].apic_id);
        }
    }
    if (rounds >= 1000)
        assert_in_range(truncated, rounds / 10, rounds - rounds / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usual_table),
        cmocka_unit_test(x2apic_ids_above_255),
        cmocka_unit_test(uses),
        cmocka_unit_test(invalid_ids),
        cmocka_unit_test(duplicates),
        cmocka_unit_test(more_cores_than_room),
        cmocka_unit_test(override_and_wakeup),
        cmocka_unit_test(threads_last_and_empty_places),
        cmocka_unit_test(empty_places_first),
        cmocka_unit_test(recorded_firecracker),
        cmocka_unit_test(odd_lengths),
        cmocka_unit_test(too_short_entries),
        cmocka_unit_test(any_mailbox),
        cmocka_unit_test(every_truncation),
        cmocka_unit_test(mutations),
    };

    return cmocka_run_group_tests_name("madt", tests, NULL, NULL);
}

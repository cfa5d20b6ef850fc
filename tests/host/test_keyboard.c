/* SPDX-License-Identifier: MIT */
/* The keyboard against a controller that is there, absent or broken. */
#include "tests/host/host_test.h"

#include "kernel/console/keyboard.h"
#include "kernel/cpu/regs.h"
#include "kernel/lib/acpi.h"
#include "kernel/mm/mm.h"

/* ---- the machine ---- */

#define FROM_MOUSE 0x100

static uint8_t fadt[116];
static size_t fadt_bytes;
static enum { WORKS, ABSENT, NEVER_EMPTY } controller;
static const uint16_t *codes; /* up to a 0 */
static unsigned reads;

uint8_t inb(uint16_t port)
{
    reads++;
    assert_true(port == 0x60 || port == 0x64);
    if (controller == ABSENT)
        return 0xff;
    if (controller == NEVER_EMPTY)
        return port == 0x64 ? 0x1d : 0x1e;
    if (port == 0x64)
        return (uint8_t)(0x1c | (*codes != 0) | (*codes & FROM_MOUSE ? 0x20 : 0));
    assert_true(*codes); /* a read of an empty buffer gives the last byte again */
    return (uint8_t)*codes++;
}

const void *mm_read_phys(uint64_t phys, size_t bytes)
{
    (void)phys;
    (void)bytes;
    return NULL;
}

enum acpi_status acpi_find(acpi_memory memory, uint64_t rsdp, const char signature[static 4],
                           const uint8_t **table, size_t *bytes)
{
    assert_true(memory == mm_read_phys && rsdp == 0x1234);
    assert_memory_equal(signature, "FACP", 4);
    *table = fadt_bytes ? fadt : NULL;
    *bytes = fadt_bytes;
    return fadt_bytes ? ACPI_OK : ACPI_NOT_FOUND;
}

static void start(uint8_t boot_arch, size_t bytes, const uint16_t *typed)
{
    fadt[109] = boot_arch;
    fadt_bytes = bytes;
    codes = typed;
    reads = 0;
    keyboard_init(0x1234);
}

/* ---- the tests ---- */

static const uint16_t nothing[] = { 0 };

static void keys(void **state)
{
    static const uint16_t before[] = { 0x1f, 0x9f, 0 };
    /* p; its release; a; Q with the release between; the extended 0x10 and 0x1f; s of the mouse. */
    static const uint16_t typed[] = { 0x19, 0x99, 0x1e, 0x10, 0x90,
                                      0xe0, 0x10, 0xe0, 0x1f, 0x1f | FROM_MOUSE,
                                      0x1f, 0 };

    (void)state;
    controller = WORKS;
    start(2, 116, before);
    assert_true(keyboard_is_present());
    assert_int_equal(keyboard_poll(), 0); /* what was typed before is gone */
    codes = typed;
    assert_int_equal(keyboard_poll(), 'p');
    assert_int_equal(keyboard_poll(), 'q');
    assert_int_equal(keyboard_poll(), 's');
    assert_int_equal(keyboard_poll(), 0);
}

static void none_in_the_tables_is_not_looked_for(void **state)
{
    static const size_t sizes[] = { 0, 44, 109, 110 };

    (void)state;
    controller = WORKS;
    start(1, 116, nothing);
    assert_false(keyboard_is_present());
    assert_int_equal(reads, 0);
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        start(2, sizes[i], nothing);
        assert_false(keyboard_is_present());
        assert_int_equal(keyboard_poll(), 0);
        assert_int_equal(reads, 0);
    }
}

static void an_absent_one_is_noticed(void **state)
{
    (void)state;
    controller = ABSENT;
    start(2, 116, nothing);
    assert_false(keyboard_is_present());
    assert_int_equal(reads, 1);
    assert_int_equal(keyboard_poll(), 0);
    assert_int_equal(reads, 1);
    /* Or later. */
    controller = WORKS;
    start(2, 116, nothing);
    controller = ABSENT;
    assert_int_equal(keyboard_poll(), 0);
}

static void one_that_never_empties_is_left_alone(void **state)
{
    (void)state;
    controller = NEVER_EMPTY;
    start(2, 116, nothing);
    assert_false(keyboard_is_present());
    assert_in_range(reads, 1, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys),
        cmocka_unit_test(none_in_the_tables_is_not_looked_for),
        cmocka_unit_test(an_absent_one_is_noticed),
        cmocka_unit_test(one_that_never_empties_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

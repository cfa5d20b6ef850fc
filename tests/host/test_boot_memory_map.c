/* SPDX-License-Identifier: MIT */
/* boot/memory_map.c on a simulated firmware: its map is large, and grows when it is asked. */
#include "tests/host/host_test.h"

#include <stdbool.h>

#include "boot/boot_info.h"
#include "boot/firmware.h"
#include "boot/memory_map.h"
#include "boot/say.h"

#define STEP    48 /* more than this version of the specification's 40 */
#define ENTRIES 10000

struct firmware firmware;

/* The loader's memory is given back by the machine's reset. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

static struct {
    UINTN entries, grows_by; /* entries that each allocation adds */
    UINTN step;
    unsigned calls, taken, given;
    EFI_STATUS fails;
    jmp_buf bailed;
} machine;

/* ---- the firmware ---- */

static EFI_STATUS EFIAPI get_memory_map(UINTN *bytes, EFI_MEMORY_DESCRIPTOR *map, UINTN *key,
                                        UINTN *step, UINT32 *version)
{
    UINTN need = machine.entries * machine.step;

    machine.calls++;
    *key = 1;
    *version = 1;
    *step = machine.step;
    if (machine.fails)
        return machine.fails;
    if (*bytes < need) {
        *bytes = need;
        return EFI_BUFFER_TOO_SMALL;
    }
    *bytes = need;
    memset(map, 0xee, need); /* all of it must be ours: the sanitizer watches */
    for (UINTN i = 0; i < machine.entries; i++) {
        EFI_MEMORY_DESCRIPTOR *d = (void *)((char *)map + i * machine.step);

        *d = (EFI_MEMORY_DESCRIPTOR){ .Type = (UINT32)(i % 20),
                                      .PhysicalStart = (machine.entries - i) * 0x3000,
                                      .NumberOfPages = i };
    }
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI free_pages(EFI_PHYSICAL_ADDRESS address, UINTN pages)
{
    (void)pages;
    machine.given++;
    free((void *)address);
    return EFI_SUCCESS;
}

uint64_t firmware_alloc(size_t pages, const char *what)
{
    (void)what;
    machine.taken++;
    machine.entries += machine.grows_by;
    void *memory = aligned_alloc(EFI_PAGE_SIZE, pages * EFI_PAGE_SIZE);
    memset(memory, 0, pages * EFI_PAGE_SIZE);
    return (uint64_t)memory;
}

void bail(EFI_STATUS status, const char *fmt, ...)
{
    (void)status;
    (void)fmt;
    longjmp(machine.bailed, 1);
}

static void start_machine(UINTN entries, UINTN grows_by)
{
    static EFI_BOOT_SERVICES services = { .GetMemoryMap = get_memory_map, .FreePages = free_pages };

    firmware.services = &services;
    memset(&machine, 0, sizeof machine);
    machine.entries = entries;
    machine.grows_by = grows_by;
    machine.step = STEP;
}

/* ---- the tests ---- */

static void check_map(UINTN entries, UINTN grows_by)
{
    struct boot_info info = { 0 };

    start_machine(entries, grows_by);
    memory_map_collect(&info);
    const struct boot_range *ranges = (const void *)info.ranges;
    assert_int_equal(info.range_count, machine.entries);
    for (uint32_t i = 0; i < info.range_count; i++) {
        assert_int_equal(ranges[i].base, (machine.entries - i) * 0x3000);
        assert_int_equal(ranges[i].pages, i);
        assert_int_equal(ranges[i].efi_type, i % 20);
        assert_in_range(ranges[i].kind, BOOT_MEM_FREE, BOOT_MEM_MMIO);
    }
    assert_in_range(machine.calls, 3, 10);
    free((void *)info.ranges);
}

static void many_entries(void **state)
{
    (void)state;
    check_map(1, 0);
    check_map(ENTRIES, 0);
    check_map(ENTRIES, 1);
    check_map(ENTRIES, 8); /* both allocations together use up the slack */
}

static void types(void **state)
{
    struct boot_info info = { 0 };

    (void)state;
    start_machine(20, 0);
    memory_map_collect(&info);
    const struct boot_range *ranges = (const void *)info.ranges;
    assert_int_equal(ranges[EfiConventionalMemory].kind, BOOT_MEM_FREE);
    assert_int_equal(ranges[EfiLoaderData].kind, BOOT_MEM_LOADER);
    assert_int_equal(ranges[EfiRuntimeServicesCode].kind, BOOT_MEM_FIRMWARE);
    assert_int_equal(ranges[EfiACPIReclaimMemory].kind, BOOT_MEM_ACPI);
    assert_int_equal(ranges[EfiMemoryMappedIO].kind, BOOT_MEM_MMIO);
    assert_int_equal(ranges[EfiUnusableMemory].kind, BOOT_MEM_RESERVED);
    assert_int_equal(ranges[19].kind, BOOT_MEM_RESERVED); /* of a later specification */
    free((void *)info.ranges);
}

static bool bails(void)
{
    struct boot_info info = { 0 };

    if (setjmp(machine.bailed))
        return true;
    memory_map_collect(&info);
    return false;
}

static void firmware_that_fails(void **state)
{
    (void)state;
    start_machine(10, 0);
    machine.fails = EFI_DEVICE_ERROR;
    assert_true(bails());
    start_machine(10, 0);
    machine.step = 8; /* shorter than an entry */
    assert_true(bails());
    start_machine(10, 100); /* longer each time: it has to give up */
    assert_true(bails());
    assert_in_range(machine.calls, 2, 20);
    assert_in_range(machine.taken - machine.given, 0, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_entries),
        cmocka_unit_test(types),
        cmocka_unit_test(firmware_that_fails),
    };

    return cmocka_run_group_tests_name("boot/memory_map", tests, NULL, NULL);
}

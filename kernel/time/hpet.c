/* SPDX-License-Identifier: MIT */
/* High precision event timer (IA-PC HPET specification 1.0a), used as a clock only. */
#include "kernel/lib/acpi.h"
#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "kernel/time/calibrate.h"
#include "kernel/time/clock_sources.h"

#define TABLE_ADDRESS 44 /* base address in the HPET table: a GAS at 40 */

#define REG_CAPABILITIES 0 /* period in femtoseconds in the upper half, bit 13: 64-bit counter */
#define REG_CONFIG       (0x10 / 8)
#define REG_COUNTER      (0xf0 / 8)
#define CONFIG_ENABLE    1ull
#define CAP_64BIT        (1ull << 13)
#define FEMTO            1000000000000000ull
#define PERIOD_MAX       100000000ull /* the specification's limit: 100 ns */

static volatile uint64_t *registers;

static uint64_t read_counter(void)
{
    return registers[REG_COUNTER];
}

uint64_t hpet_tsc_hz(uint64_t rsdp)
{
    const uint8_t *table;
    size_t bytes;
    uint64_t base;

    if (acpi_find(mm_read_phys, rsdp, "HPET", &table, &bytes) != ACPI_OK ||
        bytes < TABLE_ADDRESS + 8)
        return 0;
    memcpy(&base, table + TABLE_ADDRESS, sizeof base);
    if (base && !registers)
        registers = mm_map_device(base, 1024);
    if (!registers)
        return 0;
    uint64_t capabilities = registers[REG_CAPABILITIES];
    uint64_t period = capabilities >> 32;
    if (period == 0 || period > PERIOD_MAX)
        return 0;

    const struct reference ref = {
        .read = read_counter,
        .mask = capabilities & CAP_64BIT ? UINT64_MAX : 0xffffffff,
        .hz = FEMTO / period,
    };
    uint64_t config = registers[REG_CONFIG];
    registers[REG_CONFIG] = config | CONFIG_ENABLE;
    uint64_t hz = calibrate_tsc(&ref, 20);
    registers[REG_CONFIG] = config;
    return hz;
}

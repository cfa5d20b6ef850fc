/* SPDX-License-Identifier: MIT */
/* ACPI power management timer: 3.579545 MHz (ACPI 6.5, 4.8.3.3). */
#include "kernel/cpu/regs.h"
#include "kernel/lib/acpi.h"
#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "kernel/time/calibrate.h"
#include "kernel/time/clock_sources.h"

#define PM_TIMER_HZ 3579545

/* Offsets in the FADT (ACPI 6.5, 5.2.9). */
#define FADT_PM_TMR_BLK   76
#define FADT_FLAGS        112
#define FADT_X_PM_TMR_BLK 208
#define FADT_FLAG_32BIT   (1u << 8)
#define GAS_SPACE_IO      1
#define GAS_ADDRESS       4

static uint16_t port;

static uint64_t read_timer(void)
{
    return inl(port);
}

uint64_t pm_timer_tsc_hz(uint64_t rsdp)
{
    const uint8_t *fadt;
    size_t bytes;
    uint32_t block, flags;
    uint64_t extended = 0;

    if (acpi_find(mm_read_phys, rsdp, "FACP", &fadt, &bytes) != ACPI_OK || bytes < FADT_FLAGS + 4)
        return 0;
    memcpy(&block, fadt + FADT_PM_TMR_BLK, sizeof block);
    memcpy(&flags, fadt + FADT_FLAGS, sizeof flags);
    if (bytes >= FADT_X_PM_TMR_BLK + 12 && fadt[FADT_X_PM_TMR_BLK] == GAS_SPACE_IO)
        memcpy(&extended, fadt + FADT_X_PM_TMR_BLK + GAS_ADDRESS, sizeof extended);
    uint64_t address = extended ? extended : block;
    if (address == 0 || address > 0xffff)
        return 0;
    port = (uint16_t)address;

    const struct reference ref = {
        .read = read_timer,
        .mask = flags & FADT_FLAG_32BIT ? 0xffffffff : 0xffffff,
        .hz = PM_TIMER_HZ,
    };
    return calibrate_tsc(&ref, 20);
}

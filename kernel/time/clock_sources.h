/* SPDX-License-Identifier: MIT */
/*
 * Reference clocks that the TSC is calibrated against; each measures how many TSC ticks a given
 * time takes.
 */
#ifndef KERNEL_TIME_CLOCK_SOURCES_H
#define KERNEL_TIME_CLOCK_SOURCES_H

#include <stdint.h>

/*
 * TSC ticks per second, measured over about 20 ms, or 0 if the clock is absent or dead. Every wait
 * is bounded. `rsdp` is the physical address of ACPI's root pointer, 0 if there is none.
 */
uint64_t pm_timer_tsc_hz(uint64_t rsdp); /* FADT PM_TMR_BLK or X_PM_TMR_BLK, 24 or 32 bits */
uint64_t hpet_tsc_hz(uint64_t rsdp);     /* HPET table; the enable bit is restored */
uint64_t pit_tsc_hz(void);               /* channel 2, gated by port 0x61 */

#endif

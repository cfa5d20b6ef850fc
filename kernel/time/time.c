/* SPDX-License-Identifier: MIT */
/*
 * Which clock the TSC is calibrated against: CPUID 0x15 where the processor states it, else the
 * ACPI PM timer, cross-checked with the HPET, else the HPET alone, else the PIT.
 */
#include "kernel/time/time.h"

#include <stddef.h>

#include "boot/boot_info.h"
#include "kernel/cpu/regs.h"
#include "kernel/time/clock_sources.h"
#include "kernel/trap/trap.h"

#define REPEATS         3
#define CPUID_TRUST_PPM 10000 /* 1 %: the PIT on a loaded host is not better */

static struct time_info info;

const struct time_info *time_info(void)
{
    return &info;
}

/*
 * CPUID 0x15: ratio and crystal frequency (SDM vol 3B, "Determining the Processor Base Frequency").
 * Where the crystal is not stated (Skylake) it follows from the base frequency in MHz of leaf 0x16.
 */
static uint64_t cpuid_tsc_hz(void)
{
    struct cpuid tsc = cpuid_basic(0x15, 0);
    uint64_t crystal = tsc.ecx;

    if (!tsc.eax || !tsc.ebx)
        return 0;
    if (!crystal)
        crystal = (uint64_t)(cpuid_basic(0x16, 0).eax & 0xffff) * 1000000 * tsc.eax / tsc.ebx;
    return crystal * tsc.ebx / tsc.eax;
}

static uint64_t difference_ppm(uint64_t a, uint64_t b)
{
    uint64_t d = a > b ? a - b : b - a;

    return b ? d * 1000000 / b : 0;
}

/* Median of three; the largest deviation goes to info.spread_ppm. */
static uint64_t repeat(uint64_t (*tsc_hz)(uint64_t rsdp), uint64_t rsdp)
{
    uint64_t hz[REPEATS];

    tsc_hz(rsdp); /* the first one warms up caches and translations */
    for (unsigned i = 0; i < REPEATS; i++) {
        hz[i] = tsc_hz(rsdp);
        if (!hz[i])
            return 0;
    }
    uint64_t low = hz[0] < hz[1] ? hz[0] : hz[1], high = hz[0] < hz[1] ? hz[1] : hz[0];
    uint64_t median = hz[2] < low ? low : hz[2] > high ? high : hz[2];
    info.spread_ppm = 0;
    for (unsigned i = 0; i < REPEATS; i++) {
        uint64_t ppm = difference_ppm(hz[i], median);
        if (ppm > info.spread_ppm)
            info.spread_ppm = ppm;
    }
    return median;
}

static uint64_t pit_hz(uint64_t rsdp)
{
    (void)rsdp;
    return pit_tsc_hz();
}

struct clock {
    const char *name;
    uint64_t (*tsc_hz)(uint64_t rsdp);
};

/* In order of preference. */
static const struct clock clocks[] = {
    { "acpi pm timer", pm_timer_tsc_hz },
    { "hpet", hpet_tsc_hz },
    { "pit", pit_hz },
};
#define CLOCKS (sizeof clocks / sizeof clocks[0])

/* The first clock that works, and the next one that does as its cross-check. */
static void measure(uint64_t rsdp)
{
    for (unsigned i = 0; i < CLOCKS && !info.cross_source; i++) {
        if (!info.source) {
            info.tsc_hz = repeat(clocks[i].tsc_hz, rsdp);
            info.source = info.tsc_hz ? clocks[i].name : NULL;
        } else {
            uint64_t hz = clocks[i].tsc_hz(rsdp);
            info.cross_source = hz ? clocks[i].name : NULL;
            info.cross_ppm = difference_ppm(hz, info.tsc_hz);
        }
    }
}

/*
 * The processor's own statement is exact where it is true; an emulator's or a derived crystal can
 * be far off. So it is believed only if a clock agrees, or if there is no clock.
 */
static void believe_cpuid(uint64_t stated)
{
    uint64_t ppm = difference_ppm(stated, info.tsc_hz);

    if (!stated || (info.source && ppm > CPUID_TRUST_PPM))
        return;
    info.tsc_hz = stated;
    info.cross_source = info.source;
    info.cross_ppm = info.source ? ppm : 0;
    info.source = "cpuid 0x15";
}

void time_init(const struct boot_info *boot)
{
    info.invariant = cpuid_extended(0x80000007).edx >> 8 & 1;
    measure(boot->rsdp_phys);
    believe_cpuid(cpuid_tsc_hz());
    if (!info.tsc_hz)
        panic(NULL, "no clock to calibrate the TSC: no CPUID 0x15, PM timer, HPET or PIT");
}

/* SPDX-License-Identifier: MIT */
/* The local APIC's timer, periodic. It counts at one frequency on all cores. */
#include "smp/apic.h"

#include <stddef.h>

#include "kernel/cpu/regs.h"
#include "kernel/lib/atomic.h"
#include "kernel/time/time.h"
#include "kernel/trap/trap.h"
#include "smp/apic_regs.h"

#define CALIBRATION_US 10000

/* Counts per second; written by the boot core before another core runs. */
static uint64_t timer_hz;

void apic_timer_calibrate(void)
{
    uint64_t ticks = time_ns_to_ticks(CALIBRATION_US * 1000ull);

    apic_write(APIC_LVT_TIMER, APIC_LVT_MASKED | VECTOR_TIMER);
    apic_write(APIC_TIMER_DIVIDE, APIC_TIMER_DIVIDE_BY1);
    apic_write(APIC_TIMER_INITIAL, UINT32_MAX);
    uint64_t start = rdtsc();
    uint32_t from = apic_read(APIC_TIMER_CURRENT);
    while (rdtsc() - start < ticks)
        cpu_relax();
    uint32_t counts = from - apic_read(APIC_TIMER_CURRENT);
    uint64_t elapsed = rdtsc() - start;
    apic_write(APIC_TIMER_INITIAL, 0);

    timer_hz = (uint64_t)counts * time_info()->tsc_hz / elapsed;
    if (timer_hz == 0)
        panic(NULL, "the local APIC timer does not count");
}

void apic_timer_start(unsigned us, unsigned vector)
{
    uint64_t flags = irq_save();

    apic_write(APIC_TIMER_INITIAL, 0);
    apic_write(APIC_LVT_TIMER, APIC_LVT_MASKED | vector);
    if (us != 0) {
        uint64_t count = timer_hz * us / 1000000;

        if (count == 0)
            count = 1;
        if (count > UINT32_MAX)
            count = UINT32_MAX;
        apic_write(APIC_TIMER_DIVIDE, APIC_TIMER_DIVIDE_BY1);
        apic_write(APIC_LVT_TIMER, APIC_TIMER_PERIODIC | vector);
        apic_write(APIC_TIMER_INITIAL, (uint32_t)count);
    }
    irq_restore(flags);
}

/* SPDX-License-Identifier: MIT */
/* The clock: it goes forward on each core, the cores agree, and the conversions hold. */
#include "kernel/time/time.h"

#include "kernel/lib/atomic.h"
#include "smp/smp.h"
#include "tests/harness/test.h"

static uint32_t steps_back;

static void watch_clock(__attribute__((unused)) void *arg)
{
    uint64_t last = rdtsc();

    for (unsigned i = 0; i < 10000; i++) {
        uint64_t now = rdtsc();
        if (now < last)
            fetch_add(&steps_back, 1);
        last = now;
    }
}

TEST(unit, time_monotonic, "the clock of no core ever steps back", .budget_ms = 500)
{
    steps_back = 0;
    smp_call_all(watch_clock, NULL);
    EXPECT_EQ(steps_back, 0);
    saw(SEE_CORES, smp_online());
}

TEST_BARE("clock offsets that it has measured", unit, time_offsets,
          "the clocks of all cores agree within what could be measured")
{
    for_each_online_cpu (core) {
        const struct percpu *cpu = percpu((unsigned)core);
        int64_t offset = cpu->tsc_offset;

        if ((uint64_t)(offset < 0 ? -offset : offset) > cpu->tsc_offset_rtt)
            FAIL("core %d is %lld ticks off, measured within %llu", core, (long long)offset,
                 (unsigned long long)cpu->tsc_offset_rtt);
    }
}

TEST(unit, time_conversion, "ticks and nanoseconds convert into each other, and saturate")
{
    uint64_t hz = time_info()->tsc_hz;

    EXPECT(hz > 1000000);
    EXPECT_EQ(time_ticks_to_ns(hz), 1000000000);
    EXPECT_EQ(time_ns_to_ticks(1000000000), hz);
    EXPECT(time_ticks_to_ns(UINT64_MAX) >= time_ticks_to_ns(UINT64_MAX / 2));
    for (uint64_t ns = 1000; ns < 1000000000000ull; ns *= 7) {
        uint64_t back = time_ticks_to_ns(time_ns_to_ticks(ns));
        EXPECT(back <= ns && ns - back <= 1 + 2000000000 / hz);
    }
}

TEST(unit, time_delay, "a delay takes at least the time asked for", .budget_ms = 200)
{
    uint64_t begin = rdtsc();

    time_delay_us(2000);
    EXPECT(time_ticks_to_ns(rdtsc() - begin) >= 2000000 - 1000);
}

/* SPDX-License-Identifier: MIT */
/* Must fail, hang or panic: faults of the machine and of tests, each for its detector. */
#include "kernel/cpu/regs.h"
#include "kernel/lib/atomic.h"
#include "kernel/lib/string.h"
#include "kernel/time/time.h"
#include "kernel/trap/trap.h"
#include "kernel/trap/trap_faults.h"
#include "smp/smp.h"
#include "tests/lib/race.h"

static const struct site_spec call_sites[] = { { SITE_5_CALL, 0x0200 }, { SITE_5_CALL, 0x033e } };

TEST_BARE("an IDT of its own", selftest, fault_no_stack_gap,
          "must fail: without the gap an emulated CALL overwrites the frame of its own #BP",
          .cpus = 2, .budget_ms = 2500)
{
    char text[sizeof t->reason];

    trap_use_faulty_bp_entry(true);
    const struct race_result *r =
        race_run(t, &(struct race_plan){ .specs = call_sites, .count = 2, .ms = 1500 });
    trap_use_faulty_bp_entry(false);
    if (r->finding.outcome == OUTCOME_LEGAL)
        return;
    race_describe_finding(r, text, sizeof text);
    FAIL("%s", text);
}

/* Says that it is deaf, then is. Under an emulator with one thread even this loop must yield. */
static void be_mute(void *arg)
{
    irq_disable();
    store_release((uint32_t *)arg, 1);
    for (;;)
        cpu_relax();
}

static void start_mute_core(void)
{
    static uint32_t mute;

    smp_start_work((unsigned)smp_next_online(0), be_mute, &mute);
    while (!load_acquire(&mute)) /* pairs with the release in be_mute() */
        cpu_relax();
}

TEST(selftest, fault_mute_core,
     "must hang: a core that never acknowledges a sync is found and named", .cpus = 2,
     .budget_ms = 100)
{
    start_mute_core();
    smp_text_poke_sync_each_cpu();
}

/*
 * GCC gives a leaf function no frame, whatever the options: a backtrace from inside one does not
 * show its caller. These two are none, so that the test's own name is in the trace.
 */
__attribute__((noinline)) static void wait_for_nothing(void)
{
    static uint32_t never;

    while (!load_acquire(&never))
        time_delay_us(100);
}

__attribute__((noinline)) static bool read_nowhere(void)
{
    return strlen((const char *)0x123456789000ull) == 0;
}

TEST(selftest, fault_hang, "must hang: a test without an end is ended, with every core's backtrace",
     .budget_ms = 100)
{
    wait_for_nothing();
    EXPECT(false);
}

TEST(selftest, fault_hang_deaf,
     "must hang: the boot core itself with interrupts off is found by another core", .cpus = 2,
     .budget_ms = 100)
{
    irq_disable();
    wait_for_nothing();
    irq_enable();
}

TEST(selftest, fault_panic, "must panic: an exception that nobody expects ends the machine",
     .budget_ms = 100)
{
    EXPECT(read_nowhere());
}

static void panic_here(__attribute__((unused)) void *arg)
{
    if (!read_nowhere())
        wait_for_nothing();
}

TEST(selftest, fault_panic_elsewhere,
     "must panic: the same on another core, which stops the boot core in the middle of its thread",
     .cpus = 2, .budget_ms = 100)
{
    smp_start_work((unsigned)smp_next_online(0), panic_here, NULL);
    wait_for_nothing();
}

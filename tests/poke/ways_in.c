/* SPDX-License-Identifier: MIT */
/*
 * I25 for the ways on which a core comes to execute something: out of its wait in HLT, and by any
 * interrupt or NMI. It may not have serialised there (smp/quiescent.c), and whatever comes may come
 * in the middle of a patch: what is executed before a test's hook, function or work is none of the
 * text that can be patched.
 */
#include "kernel/cpu/regs.h"
#include "kernel/lib/fixed_text.h"
#include "kernel/lib/string.h"
#include "smp/internal.h"
#include "smp/smp.h"
#include "tests/harness/test.h"
#include "tests/lib/stepping.h"

static const struct {
    uint8_t vector;
    trap_handler handler; /* that the test's stands before */
    const char *name;
} ways[] = {
    { TRAP_NMI, nmi_handler, "an NMI" },
    { VECTOR_TIMER, timer_handler, "the timer interrupt" },
    { VECTOR_CALL, call_handler, "a cross-call" },
    { VECTOR_WAKE, work_wake_handler, "the wake-up" },
};

#define WAYS (sizeof ways / sizeof ways[0])

/* Every core adds to it. */
static struct {
    uint32_t taken[WAYS]; /* handlers stepped */
    uint64_t steps, patchable;
    uint64_t first; /* the address of one step in patchable text */
} seen;

static bool leaves_stepped; /* the boot core's thread alone, and its #DB */

static void on_step(const struct trap_frame *frame)
{
    fetch_add(&seen.steps, 1);
    if (!machine_is_patchable(frame->rip, 1))
        return;
    store_relaxed(&seen.first, frame->rip);
    fetch_add(&seen.patchable, 1);
}

FIXED_TEXT static unsigned way_of(const struct trap_frame *frame)
{
    unsigned i = 0;

    while (ways[i].vector != frame->vector)
        i++;
    return i;
}

FIXED_TEXT static uint64_t call_handler_of(void *frame)
{
    return ways[way_of(frame)].handler(frame);
}

static bool step_handler(struct trap_frame *frame)
{
    bool taken = step_call(call_handler_of, frame);

    fetch_add(&seen.taken[way_of(frame)], 1); /* pairs with the acquire in step_way() */
    return taken;
}

static void nothing(__attribute__((unused)) void *arg)
{
}

/* Until another core, or in the timer's case any, has come this way. */
static void step_way(unsigned i)
{
    uint8_t vector = ways[i].vector;
    unsigned other = (unsigned)smp_next_online(0);

    trap_set_handler(vector, step_handler);
    if (vector == TRAP_NMI)
        smp_send_nmi(other);
    else if (vector == VECTOR_WAKE)
        smp_send_ipi(other, VECTOR_WAKE);
    else if (vector == VECTOR_CALL)
        smp_tlb_flush(); /* its function is fixed text too: a core that was parked calls it */
    while (load_acquire(&seen.taken[i]) == 0)
        cpu_relax();
    trap_set_handler(vector, ways[i].handler);
    smp_call_all(nothing, NULL); /* taken when the handlers have ended */
}

/* #DB is a trap as well: it would leave, before there was anything to step through. */
static void first_but_in_steps(void)
{
    if (cpu_index() != 0 || !leaves_stepped)
        quiescent_leave();
}

FIXED_TEXT static uint64_t enter_and_leave(__attribute__((unused)) void *arg)
{
    quiescent_enter();
    quiescent_leave();
    return 0;
}

static void step_out_of_a_wait(void)
{
    uint64_t flags = irq_save();

    trap_set_first(first_but_in_steps);
    leaves_stepped = true;
    step_call(enter_and_leave, NULL);
    leaves_stepped = false;
    trap_set_first(quiescent_leave);
    irq_restore(flags);
}

static void must_be_fixed(struct test_run *t, const char *way)
{
    if (seen.patchable)
        FAIL("%s: %llu steps were in patchable text, one at 0x%llx", way,
             (unsigned long long)seen.patchable, (unsigned long long)seen.first);
    EXPECT(seen.steps != 0);
    saw(SEE_TRAPS, 1);
    seen.patchable = 0;
    seen.steps = 0;
}

TEST_BARE("an image and interrupts of its own", poke, i25_ways_in_are_not_patchable,
          "no instruction that takes a core out of its wait or to an interrupt's hook can be "
          "patched",
          .cpus = 2, .budget_ms = 500, .must_see = { { SEE_TRAPS, 1 + WAYS } })
{
    memset(&seen, 0, sizeof seen);
    stepping_begin(on_step);
    step_out_of_a_wait();
    must_be_fixed(t, "out of a wait");
    for (unsigned i = 0; i < WAYS; i++) {
        step_way(i);
        must_be_fixed(t, ways[i].name);
    }
    stepping_end();
}

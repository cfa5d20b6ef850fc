/* SPDX-License-Identifier: MIT */
/* #BP: it belongs to whoever planted it, nests with NMIs, and keeps room for an emulated push. */
#include "kernel/lib/atomic.h"
#include "kernel/time/time.h"
#include "kernel/trap/trap.h"
#include "poke/poke.h"
#include "smp/smp.h"
#include "tests/harness/test.h"
#include "tests/lib/own_breakpoints.h"
#include "tests/lib/site.h"

/* ---- the stack gap ---- */

/* `call_site`: int3, three bytes of NOP, then a return; the handler emulates a CALL of `callee`. */
__asm__(".pushsection .text\n"
        "call_site: int3; nopl (%rax); lea 0x100(%rax), %eax; ret\n"
        "callee: mov $0x77, %eax; mov (%rsp), %rdx; ret\n"
        ".popsection");
extern uint8_t call_site[], callee[];

static bool emulate_call(struct trap_frame *frame)
{
    if (frame->rip != (uint64_t)call_site + 1)
        return false;
    frame->rsp -= 8;
    *(uint64_t *)frame->rsp = (uint64_t)call_site + 4;
    frame->rip = (uint64_t)callee;
    return true;
}

TEST_BARE(
    "an IDT and NMIs of its own", unit, stack_gap,
    "an emulated CALL pushes without touching the frame of its own #BP, with both stack alignments",
    .must_see = { { SEE_TRAPS, 200 } })
{
    own_breakpoints_begin(emulate_call);
    for (unsigned i = 0; i < 200; i++)
        EXPECT_EQ(site_call(call_site, i & 1 ? 8 : 0), 0x177);
    saw(SEE_TRAPS, own_breakpoints_end());
}

/* ---- nesting ---- */

#define NESTING 3

static uint32_t nmis_entered;
static uint32_t deepest;

/* A breakpoint, met in thread context and in NMIs. The second call of the pair re-enables NMIs. */
__asm__(".pushsection .text\n"
        "nested_site: int3; mov $0x5a, %eax; ret\n"
        ".popsection");
extern uint8_t nested_site[];

static void send_nmi_and_wait(void)
{
    uint32_t before = load_relaxed(&nmis_entered);
    uint64_t deadline = rdtsc() + time_ns_to_ticks(1000000000);

    smp_send_nmi(cpu_index());
    while (load_relaxed(&nmis_entered) == before && rdtsc() < deadline)
        cpu_relax();
}

/* An NMI inside the #BP handler of the thread, before anything else returns. */
static bool nmi_in_breakpoint(struct trap_frame *frame)
{
    if (frame->rip != (uint64_t)nested_site + 1)
        return false;
    if (trap_depth() > deepest)
        deepest = trap_depth();
    if (load_relaxed(&nmis_entered) == 0)
        send_nmi_and_wait();
    return true;
}

/* Meets the breakpoint; its IRET lets the next NMI in, which lands on top of this one. */
static void breakpoint_in_nmi(void)
{
    uint32_t level = load_relaxed(&nmis_entered) + 1;
    uint32_t canary[4] = { level, level, level, level };

    store_relaxed(&nmis_entered, level);
    if (site_call(nested_site, 0) == 0x5a && level < NESTING)
        send_nmi_and_wait();
    for (unsigned i = 0; i < 4; i++) {
        if (*(volatile uint32_t *)&canary[i] != level)
            panic(NULL, "an NMI overwrote the stack of the NMI below it");
    }
}

TEST_BARE(
    "an IDT and NMIs of its own", unit, nmi_breakpoint_nesting,
    "NMIs on NMIs, each with a #BP, in a #BP of the thread: each level returns to the one below",
    .budget_ms = 500, .must_see = { { SEE_TRAPS, NESTING + 1 } })
{
    nmis_entered = deepest = 0;
    this_cpu()->nmi_hook = breakpoint_in_nmi;
    own_breakpoints_begin(nmi_in_breakpoint);
    EXPECT_EQ(site_call(nested_site, 0), 0x5a);
    saw(SEE_TRAPS, own_breakpoints_end());
    this_cpu()->nmi_hook = NULL;
    EXPECT_EQ(nmis_entered, NESTING);
    /* The thread's #BP, the NMIs on top of each other, the last one's #BP. */
    EXPECT_EQ(deepest, 1 + NESTING + 1);
    EXPECT_EQ(trap_depth(), 0);
}

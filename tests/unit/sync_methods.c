/* SPDX-License-Identifier: MIT */
/*
 * Each way to serialise a core executes without a fault, preserves what a function preserves, is
 * acknowledged by every core, and is refused where the processor does not have it.
 *
 * That it serialises is not shown here: an emulator executes current instructions without it (or,
 * with several threads, stale ones in spite of it), and on hardware a missing one is seen by the
 * races, if at all.
 */
#include "kernel/cpu/regs.h"
#include "kernel/lib/atomic.h"
#include "kernel/lib/string.h"
#include "poke/poke.h"
#include "smp/smp.h"
#include "tests/harness/test.h"
#include "tests/lib/others.h"
#include "tests/lib/state_call.h"

static const struct {
    enum sync_method method;
    const char *name;
} methods[] = {
    { SYNC_SERIALIZE, "serialize" },
    { SYNC_IRET, "iret" },
    { SYNC_CR2, "cr2" },
    { SYNC_CPUID, "cpuid" },
};

static bool has_serialize(void)
{
    return cpuid_basic(7, 0).edx >> 14 & 1;
}

#define CALLER_FLAGS (RFLAGS_IF | 0x400) /* and DF; the arithmetic ones are the callee's */

/* Set by a core whose sync_core() changed what it must not. Read by the boot core afterwards. */
static uint32_t changed;

static void call_sync_core(void *arg)
{
    static const struct registers before = {
        .rbx = 0x1111,
        .rbp = 0x2222,
        .r12 = 0x3333,
        .r13 = 0x4444,
        .r14 = 0x5555,
        .r15 = 0x6666,
    };
    struct registers s = before;

    s.flags = 2 | *(const uint64_t *)arg;
    s.above = 0x7777;
    state_call((void *)sync_core, &s, 0);
    if (s.rbx != before.rbx || s.rbp != before.rbp || s.r12 != before.r12 || s.r13 != before.r13 ||
        s.r14 != before.r14 || s.r15 != before.r15 || s.above != 0x7777 ||
        (s.flags & CALLER_FLAGS) != *(const uint64_t *)arg)
        fetch_add(&changed, 1);
}

/* A handful of rounds: each core's acknowledgement is awaited inside. */
static void use(struct test_run *t, const char *name)
{
    struct smp_ipi_counts before = smp_ipi_counts();
    uint64_t interrupts_off = 0, interrupts_on = RFLAGS_IF;

    EXPECT_EQ(strcmp(smp_sync_name(), name), 0);
    changed = 0;
    smp_call_all(call_sync_core, &interrupts_off);
    call_sync_core(&interrupts_on);
    if (changed)
        FAIL("%s: on %u cores sync_core() did not preserve registers or flags", name, changed);
    others_keep_busy(t);
    for (unsigned i = 0; i < 20; i++)
        smp_text_poke_sync_each_cpu();
    others_stop();
    struct smp_ipi_counts after = smp_ipi_counts();
    EXPECT_EQ(after.sync_acks - before.sync_acks, 20ull * smp_online());
    saw(SEE_IPIS, after.sync_acks - before.sync_acks);
}

TEST_BARE(
    "privileged serialising instructions", unit, sync_methods,
    "each method of sync_core() preserves registers on every core, and every core acknowledges it",
    .budget_ms = 500, .must_see = { { SEE_IPIS, 60 } })
{
    for (unsigned i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        bool expected = methods[i].method != SYNC_SERIALIZE || has_serialize();
        bool selected = smp_sync_select(methods[i].method);

        EXPECT_EQ(selected, expected);
        if (selected)
            use(t, methods[i].name);
    }
    REQUIRE(smp_sync_select((enum sync_method)test_words()->sync));
}

/* SPDX-License-Identifier: MIT */
/*
 * I11: the event log of every kind of batch shows each step in its place. The must-fail twins are
 * the planted faults of group selftest, one for each missing step.
 */
#include "kernel/mm/mm.h"
#include "poke/event_log.h"
#include "poke/poke.h"
#include "smp/smp.h"
#include "tests/harness/test.h"
#include "tests/lib/others.h"

static const uint8_t ret = RET_INSN_OPCODE;
static const uint8_t int3 = INT3_INSN_OPCODE;

static const struct {
    const uint8_t *bytes;
    unsigned len, sites;
} batches[] = {
    { poke_nop5, 5, 1 },   { poke_nop2, 2, 1 }, { poke_nop6, 6, 1 },
    { &ret, 1, 1 },        { &int3, 1, 1 },     { poke_nop5, 5, 2 },
    { poke_nop6, 6, 100 }, { &int3, 1, 256 },   { poke_nop2, 2, 256 },
};

static void run_batches(struct test_run *t, uint8_t *text, const char *others)
{
    text_mutex_lock();
    poke_order_reset();
    uint64_t checked = poke_counters()->order_checked;
    for (unsigned i = 0; i < sizeof batches / sizeof batches[0]; i++) {
        for (unsigned s = 0; s < batches[i].sites; s++)
            EXPECT_EQ(smp_text_poke_batch_add(text + 20 * s, batches[i].bytes, batches[i].len, NULL,
                                              NULL),
                      POKE_OK);
        EXPECT_EQ(smp_text_poke_batch_finish(), POKE_OK);
        const struct poke_order_fault *fault = poke_first_fault();
        if (fault)
            FAIL("order: %s, in batch %u (others %s), sync %u, core %u", fault->what, i, others,
                 fault->sync, fault->core);
    }
    saw(SEE_ORDER_CHECKS, poke_counters()->order_checked - checked);
    text_mutex_unlock();
}

TEST(poke, i11_order_checked, "the log of each kind of batch is checked, and nothing is missing",
     .must_see = { { SEE_ORDER_CHECKS, 18 } })
{
    uint8_t *text = (uint8_t *)mm_text_alloc(2);

    REQUIRE(text);
    run_batches(t, text, "idle"); /* not asked: its log has to say why */
    others_keep_busy(t);
    run_batches(t, text, "busy");
    others_stop();
    saw(SEE_CORES, smp_online());
}

/* SPDX-License-Identifier: MIT */
/*
 * A core sync returns when the last core has answered: each core in turn keeps its interrupts off
 * for a while. With more than 16 others they are waited for through the tree (smp/ack_tree.h).
 */
#include "kernel/cpu/regs.h"
#include "kernel/lib/atomic.h"
#include "kernel/time/time.h"
#include "poke/poke.h"
#include "smp/smp.h"
#include "tests/harness/test.h"
#include "tests/lib/others.h"

#define STAY_US    1000
#define VISITS_MAX 48 /* of larger machines a part */

/* `turn` and `go_on` are the boot core's, the rest is the core's whose turn it is. */
static struct {
    uint32_t turn, deaf, go_on, heard;
} call;

static void be_deaf(void)
{
    uint64_t flags = irq_save();

    store_release(&call.deaf, 1);
    while (!load_acquire(&call.go_on))
        cpu_relax();
    uint64_t begin = rdtsc(), length = time_ns_to_ticks(STAY_US * 1000);
    while (rdtsc() - begin < length)
        cpu_relax();
    store_release(&call.heard, 1);
    irq_restore(flags);
}

static void wait_for_turn(__attribute__((unused)) void *arg)
{
    bool had_turn = false;

    while (others_go_on()) {
        if (!had_turn && load_acquire(&call.turn) == cpu_index()) {
            had_turn = true;
            be_deaf();
        }
        cpu_relax();
    }
}

TEST(unit, sync_waits, "a core sync returns when the last core has answered, whichever it is",
     .cpus = 2, .budget_ms = 500, .must_see = { { SEE_CORES, 1 } })
{
    unsigned others = smp_online() - 1, step = others / VISITS_MAX + 1, n = 0;

    call.turn = 0;
    others_start(t, 0, wait_for_turn, NULL);
    for_each_online_cpu (core) {
        if (core == 0 || n++ % step != 0)
            continue;
        call.deaf = call.go_on = call.heard = 0;
        store_release(&call.turn, (uint32_t)core); /* pairs with the acquire in wait_for_turn() */
        while (!load_acquire(&call.deaf))
            cpu_relax();
        store_release(&call.go_on, 1);
        smp_text_poke_sync_each_cpu();
        if (!load_acquire(&call.heard))
            FAIL("a sync of %u cores did not wait for core %d", others, core);
        while (!load_acquire(&call.heard))
            cpu_relax();
        saw(SEE_CORES, 1);
    }
    others_stop();
}

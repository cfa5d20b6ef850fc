/* SPDX-License-Identifier: MIT */
/*
 * Probes that come and go, and become jumps and traps again, while they are hit: each pass counts
 * its own hits, on its stack, so that not one can be lost or invented unnoticed.
 */
#include "poke/users/kprobe.h"
#include "poke/users/reclaim.h"
#include "smp/percpu.h"
#include "smp/smp.h"
#include "smp/watchdog.h"
#include "tests/lib/others.h"
#include "tests/users/load.h"
#include "tests/users/probed.h"

static struct kprobe probe;

static void count(__attribute__((unused)) struct kprobe *p, const struct kprobe_regs *regs)
{
    ++*(uint64_t *)regs->rdi;
}

#define WRONG_ANSWER 99

static uint64_t run_probed(__attribute__((unused)) uint64_t turn)
{
    uint64_t hits = 0;

    return users_probed_pauses(&hits) == (uint64_t)&hits + 1 ? hits : WRONG_ANSWER;
}

/* With a probe all the time one hit, without one none, else either. */
static bool hits_allowed(uint64_t hits, uint64_t first, uint64_t last, unsigned cycle)
{
    bool with = false, without = false;

    for (uint64_t v = first; v <= last; v++) {
        with |= v % cycle != 0;
        without |= v % cycle == 0;
    }
    return (hits == 1 && with) || (hits == 0 && without);
}

static bool allowed(uint64_t hits, __attribute__((unused)) uint64_t turn, uint64_t first,
                    uint64_t last)
{
    return hits_allowed(hits, first, last, 2);
}

static enum poke_error come_or_go(uint64_t version)
{
    return version % 2 ? register_kprobe(&probe) : unregister_kprobe(&probe);
}

TEST_BARE("text of its own that can be patched", users, kprobe_race,
          "a probe comes and goes under threads, interrupts and NMIs, and misses nothing",
          .cpus = 2, .budget_ms = 200, .default_ms = 300,
          .must_see = { { SEE_EXECUTIONS, 200 },
                        { SEE_OVERLAPS, 20 },
                        { SEE_TIMER_EXECUTIONS, 3 },
                        { SEE_NMI_EXECUTIONS, 3 } })
{
    static const struct user_load load = { run_probed, allowed, come_or_go };

    probe = (struct kprobe){ .addr = users_probed_between.site, .pre_handler = count };
    user_load_run(t, &load);
    EXPECT_EQ(run_probed(0), 0);
}

/* none, INT3, JMP, INT3, JMP, none */
#define CYCLE 5u

static bool allowed_in_cycle(uint64_t hits, __attribute__((unused)) uint64_t turn, uint64_t first,
                             uint64_t last)
{
    return hits_allowed(hits, first, last, CYCLE);
}

static enum poke_error go_round(uint64_t version)
{
    switch (version % CYCLE) {
    case 0:
        return unregister_kprobe(&probe);
    case 1:
        return register_kprobe(&probe);
    case 3:
        return unoptimize_kprobe(&probe);
    default:
        return optimize_kprobe(&probe);
    }
}

TEST_BARE("text of its own that can be patched", users, kprobe_optimize_race,
          "a probe becomes a jump and a trap again while cores are between the bytes, and misses "
          "nothing",
          .cpus = 2, .budget_ms = 200, .default_ms = 300,
          .must_see = { { SEE_EXECUTIONS, 200 },
                        { SEE_OVERLAPS, 20 },
                        { SEE_PATCHES, 10 },
                        { SEE_TIMER_EXECUTIONS, 3 },
                        { SEE_NMI_EXECUTIONS, 3 } })
{
    static const struct user_load load = { run_probed, allowed_in_cycle, go_round };

    probe = (struct kprobe){ .addr = users_probed_between.site, .pre_handler = count };
    user_load_run(t, &load);
    unregister_kprobe(&probe); /* wherever in the cycle the time has ended */
    EXPECT_EQ(run_probed(0), 0);
}

/* ---- who waits for whom ---- */

static uint32_t inside, let_go; /* the other cores', and the boot core's timer's */
static enum poke_error unregistered;

static void pass_points(void)
{
    while (others_go_on()) {
        text_quiescent_point();
        cpu_relax();
    }
}

static void stay(__attribute__((unused)) struct kprobe *p,
                 __attribute__((unused)) const struct kprobe_regs *regs)
{
    fetch_add(&inside, 1);
    while (!load_acquire(&let_go)) /* pairs with the release in release() */
        machine_relax();
    fetch_sub(&inside, 1);
}

static void in_handler(__attribute__((unused)) void *arg)
{
    uint64_t hits;

    users_probed_pauses(&hits);
    pass_points();
}

static void release(void)
{
    store_release(&let_go, 1);
}

TEST_BARE("text of its own that can be patched", users, kprobe_waits_for_handler,
          "a probe that has become a jump is not gone before its last handler has ended", .cpus = 2,
          .budget_ms = 100)
{
    struct kprobe held = { .addr = users_probed_between.site, .pre_handler = stay };

    inside = let_go = 0;
    EXPECT_EQ(register_kprobe(&held), POKE_OK);
    EXPECT_EQ(optimize_kprobe(&held), POKE_OK);
    unsigned others = others_start(t, 0, in_handler, NULL);
    while (load_acquire(&inside) < others)
        machine_relax();
    store_release(&this_cpu()->timer_hook, release);
    smp_timer_start(5000);
    EXPECT_EQ(unregister_kprobe(&held), POKE_OK);
    EXPECT_EQ(load_acquire(&inside), 0);
    store_release(&this_cpu()->timer_hook, NULL);
    watchdog_start_core();
    others_stop();
}

/* Between the two parts of the boot core's optimize_kprobe(), which waits for this thread. */
static void meddle(__attribute__((unused)) void *arg)
{
    bool covered = cpu_index() != (unsigned)smp_next_online(0);

    fetch_add(&inside, 1);
    while (!covered) {
        cpu_relax(); /* outside of the lock: on an emulator that takes turns, the others' */
        text_mutex_lock();
        covered = kprobe_has_text(probe.addr + JMP32_INSN_SIZE - 1, 1);
        text_mutex_unlock();
        if (covered)
            unregistered = unregister_kprobe(&probe);
    }
    pass_points();
}

TEST_BARE("text of its own that can be patched", users, kprobe_busy,
          "a probe that is about to become a jump is not taken back", .cpus = 2, .budget_ms = 100)
{
    probe = (struct kprobe){ .addr = users_probed_between.site, .pre_handler = count };
    inside = 0;
    EXPECT_EQ(register_kprobe(&probe), POKE_OK);
    unsigned others = others_start(t, 0, meddle, NULL);
    while (load_acquire(&inside) < others)
        machine_relax();
    EXPECT_EQ(optimize_kprobe(&probe), POKE_OK);
    others_stop();
    EXPECT_EQ(unregistered, POKE_E_PENDING);
    EXPECT_EQ(run_probed(0), 1);
    EXPECT_EQ(unregister_kprobe(&probe), POKE_OK);
}

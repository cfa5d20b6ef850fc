/* SPDX-License-Identifier: MIT */
/*
 * Probes that come and go, and become jumps and traps again, while they are hit: each pass counts
 * its own hits, on its stack, so that not one can be lost or invented unnoticed.
 */
#include "poke/users/kprobe.h"
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

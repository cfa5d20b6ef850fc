/* SPDX-License-Identifier: MIT */
/* Probes on this file's own code: every execution is counted, none is lost and none invented. */
#include "poke/users/kprobe.h"
#include "poke/users/jump_label.h"

#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "tests/users/load.h"

#define NOINLINE __attribute__((noinline, noclone))

static DEFINE_STATIC_KEY_FALSE(probed_key);

NOINLINE static bool probed_branch(void)
{
    return static_branch_unlikely(&probed_key);
}

/* Hits of every core, in every context. */
static uint64_t hits;

static void count(__attribute__((unused)) struct kprobe *p,
                  __attribute__((unused)) const struct poke_regs *regs)
{
    fetch_add(&hits, 1);
}

static struct kprobe probe_of_key(void)
{
    const struct jump_entry *site = &probed_key.sites[0];

    return (struct kprobe){ .addr = (uint8_t *)site->code, .len = site->len, .pre_handler = count };
}

TEST_BARE("text of its own that can be patched", users, kprobe_counts,
          "a probe is called once for each execution, and its instruction does what it did",
          .budget_ms = 50, .must_see = { { SEE_TRAPS, 20 } })
{
    REQUIRE(probed_key.count == 1);
    struct kprobe probe = probe_of_key(), second = probe;

    hits = 0;
    EXPECT_EQ(unregister_kprobe(&probe), POKE_E_EXPECTED);
    EXPECT_EQ(register_kprobe(&probe), POKE_OK);
    EXPECT_EQ(register_kprobe(&second), POKE_E_EXPECTED);
    for (unsigned i = 1; i <= 10; i++) {
        EXPECT(!probed_branch());
        EXPECT_EQ(hits, i);
    }
    /* As in Linux either the probe or the key has the site. */
    EXPECT_EQ(static_key_enable(&probed_key), POKE_E_EXPECTED);
    EXPECT_EQ(unregister_kprobe(&probe), POKE_OK);
    EXPECT_EQ(static_key_enable(&probed_key), POKE_OK);
    EXPECT(probed_branch());
    EXPECT_EQ(hits, 10);

    probe = probe_of_key(); /* of a JMP now */
    EXPECT_EQ(register_kprobe(&probe), POKE_OK);
    for (unsigned i = 1; i <= 10; i++)
        EXPECT(probed_branch());
    EXPECT_EQ(hits, 20);
    EXPECT_EQ(unregister_kprobe(&probe), POKE_OK);
    EXPECT_EQ(static_key_disable(&probed_key), POKE_OK);
    saw(SEE_TRAPS, hits);

    static const uint8_t other[] = { 0x48, 0x89, 0xc8 }; /* mov rax, rcx */
    struct kprobe refused = { .addr = (uint8_t *)mm_text_alloc(1), .len = 5, .pre_handler = count };

    REQUIRE(refused.addr);
    EXPECT_EQ(text_poke_copy(refused.addr, other, sizeof other), POKE_OK);
    EXPECT_EQ(register_kprobe(&refused), POKE_E_OPCODE);
    refused.addr = (uint8_t *)smp_text_poke_sync_each_cpu;
    EXPECT_EQ(register_kprobe(&refused), POKE_E_ADDRESS);
}

/* ---- under load ---- */

static DEFINE_STATIC_KEY_FALSE(raced_key);
static struct kprobe raced;

static uint64_t executed; /* how often, by all cores */

NOINLINE static bool raced_branch(void)
{
    return static_branch_unlikely(&raced_key);
}

/* What it answers, and whether a hit came: of this core's own the least that can be said. */
static uint64_t run_raced(__attribute__((unused)) uint64_t turn)
{
    uint64_t before = load_acquire(&hits);
    bool jumped = raced_branch();

    fetch_add(&executed, 1);
    return (uint64_t)jumped << 1 | (load_acquire(&hits) != before);
}

/* Armed throughout: a hit. (Disarmed throughout: other cores may still have brought some.) */
static bool raced_allowed(uint64_t value, __attribute__((unused)) uint64_t turn, uint64_t first,
                          uint64_t last)
{
    bool jumped = value >> 1, hit = value & 1;

    return !jumped && (first != last || first % 2 == 0 || hit);
}

static enum poke_error arm_or_disarm(uint64_t version)
{
    return version % 2 ? register_kprobe(&raced) : unregister_kprobe(&raced);
}

TEST_BARE("text of its own that can be patched", users, kprobe_race,
          "a probe comes and goes under threads, interrupts and NMIs, and misses nothing",
          .cpus = 2, .budget_ms = 200, .default_ms = 300,
          .must_see = { { SEE_EXECUTIONS, 200 },
                        { SEE_OVERLAPS, 20 },
                        { SEE_TRAPS, 100 },
                        { SEE_TIMER_EXECUTIONS, 3 },
                        { SEE_NMI_EXECUTIONS, 3 } })
{
    static const struct user_load load = { run_raced, raced_allowed, arm_or_disarm };
    const struct jump_entry *site = &raced_key.sites[0];

    REQUIRE(raced_key.count == 1);
    raced =
        (struct kprobe){ .addr = (uint8_t *)site->code, .len = site->len, .pre_handler = count };
    hits = executed = 0;
    user_load_run(t, &load);
    EXPECT(hits <= executed);
    saw(SEE_TRAPS, hits);

    /* It is gone: not one more. */
    uint64_t before = hits;
    EXPECT(!raced_branch());
    EXPECT_EQ(hits, before);
}

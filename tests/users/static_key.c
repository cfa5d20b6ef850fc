/* SPDX-License-Identifier: MIT */
/* Static keys, on branches of this file's own compiled code. */
#include "poke/users/jump_label.h"

#include "tests/users/all_at_once.h"

#define NOINLINE __attribute__((noinline, noclone))

/* ---- states ---- */

static DEFINE_STATIC_KEY_FALSE(off_key);
static DEFINE_STATIC_KEY_TRUE(on_key);

NOINLINE static bool off_unlikely(void)
{
    return static_branch_unlikely(&off_key);
}

NOINLINE static bool off_likely(void)
{
    return static_branch_likely(&off_key);
}

NOINLINE static bool on_unlikely(void)
{
    return static_branch_unlikely(&on_key);
}

NOINLINE static bool on_likely(void)
{
    return static_branch_likely(&on_key);
}

static bool both_are(bool (*unlikely)(void), bool (*likely)(void), bool state)
{
    return unlikely() == state && likely() == state;
}

TEST_BARE("text of its own that can be patched", users, static_key_states,
          "branches follow their key from boot on, however often it is enabled and by how many",
          .budget_ms = 50, .must_see = { { SEE_PATCHES, 16 } })
{
    uint64_t sites = poke_counters()->sites;

    EXPECT(both_are(off_unlikely, off_likely, false));
    EXPECT(both_are(on_unlikely, on_likely, true));
    EXPECT_EQ(static_key_disable(&on_key), POKE_OK);
    EXPECT(both_are(on_unlikely, on_likely, false));
    EXPECT_EQ(static_key_disable(&on_key), POKE_OK);
    EXPECT_EQ(static_key_enable(&on_key), POKE_OK);
    EXPECT_EQ(static_key_enable(&on_key), POKE_OK);
    EXPECT_EQ(static_key_count(&on_key), 1);
    EXPECT(both_are(on_unlikely, on_likely, true));

    for (unsigned turn = 0; turn < 3; turn++) {
        EXPECT_EQ(static_key_slow_inc(&off_key), POKE_OK);
        EXPECT_EQ(static_key_slow_inc(&off_key), POKE_OK);
        EXPECT_EQ(static_key_count(&off_key), 2);
        EXPECT(both_are(off_unlikely, off_likely, true));
        EXPECT_EQ(static_key_slow_dec(&off_key), POKE_OK);
        EXPECT(both_are(off_unlikely, off_likely, true));
        EXPECT_EQ(static_key_slow_dec(&off_key), POKE_OK);
        EXPECT(both_are(off_unlikely, off_likely, false));
    }
    saw(SEE_PATCHES, poke_counters()->sites - sites);

    EXPECT_EQ(static_key_slow_dec(&off_key), POKE_E_PENDING);
    EXPECT_EQ(static_key_count(&off_key), 0);
    text_mutex_lock();
    EXPECT_EQ(static_key_enable(&off_key), POKE_E_LOCK);
    text_mutex_unlock();
    EXPECT(both_are(off_unlikely, off_likely, false));
}

/* ---- a site that somebody else has changed ---- */

static DEFINE_STATIC_KEY_FALSE(spoilt_key);

NOINLINE static bool spoilt_first(void)
{
    return static_branch_unlikely(&spoilt_key);
}

NOINLINE static bool spoilt_second(void)
{
    return static_branch_unlikely(&spoilt_key);
}

static bool poke_site(const struct jump_entry *site, const uint8_t *bytes)
{
    text_mutex_lock();
    enum poke_error e = text_poke((void *)site->code, bytes, site->len);
    text_mutex_unlock();
    return !e;
}

TEST_BARE("text of its own that can be patched", users, static_key_refuses_other_text,
          "a key with a site that does not hold what it left there is refused, and nothing changes",
          .budget_ms = 50)
{
    REQUIRE(spoilt_key.count == 2);
    const struct jump_entry *last = &spoilt_key.sites[1];
    static const uint8_t int3s[5] = { 0xCC, 0xCC, 0xCC, 0xCC, 0xCC };
    uint64_t batches = poke_counters()->batches;

    EXPECT(poke_site(last, int3s));
    EXPECT_EQ(static_key_enable(&spoilt_key), POKE_E_EXPECTED);
    EXPECT_EQ(static_key_count(&spoilt_key), 0);
    EXPECT_EQ(poke_counters()->batches, batches);
    EXPECT(!spoilt_first());
    EXPECT(poke_site(last, last->len == sizeof poke_nop2 ? poke_nop2 : poke_nop5));
    EXPECT_EQ(static_key_enable(&spoilt_key), POKE_OK);
    EXPECT(spoilt_first() && spoilt_second());
    EXPECT_EQ(static_key_disable(&spoilt_key), POKE_OK);
}

/* ---- a key with hundreds of sites, under load ---- */

static DEFINE_STATIC_KEY_FALSE(race_key);

/* 32 sites, of both kinds: a bit for each. */
#define BIT_(n)                                                                                    \
    if ((n) % 2 ? static_branch_likely(&race_key) : static_branch_unlikely(&race_key))             \
        mask |= 1u << (n);
#define BITS_4(n) BIT_(n) BIT_((n) + 1) BIT_((n) + 2) BIT_((n) + 3)
#define BITS_32(n)                                                                                 \
    BITS_4(0) BITS_4(4) BITS_4(8) BITS_4(12) BITS_4(16) BITS_4(20) BITS_4(24) BITS_4(28)
#define BRANCHES(name)                                                                             \
    NOINLINE static uint32_t name(void)                                                            \
    {                                                                                              \
        uint32_t mask = 0;                                                                         \
                                                                                                   \
        BITS_32(0)                                                                                 \
        return mask;                                                                               \
    }
BRANCHES(branches_0)
BRANCHES(branches_1)
BRANCHES(branches_2)
BRANCHES(branches_3)
BRANCHES(branches_4)
BRANCHES(branches_5)
BRANCHES(branches_6)
BRANCHES(branches_7)
BRANCHES(branches_8)
BRANCHES(branches_9)

static uint32_t (*const branches[])(void) = {
    branches_0, branches_1, branches_2, branches_3, branches_4,
    branches_5, branches_6, branches_7, branches_8, branches_9,
};
#define FUNCTIONS (sizeof branches / sizeof branches[0])
#define SITES     (FUNCTIONS * 32)

static uint64_t run_branches(uint64_t turn)
{
    return branches[turn % FUNCTIONS]();
}

/* Odd versions are enabled. While it is switched, each site has a state of its own. */
static bool mask_allowed(uint64_t mask, __attribute__((unused)) uint64_t turn, uint64_t first,
                         uint64_t last)
{
    return first != last || mask == (first % 2 ? UINT32_MAX : 0);
}

static enum poke_error switch_key(uint64_t version)
{
    return version % 2 ? static_key_enable(&race_key) : static_key_disable(&race_key);
}

static void key_to_disabled(struct test_run *t)
{
    EXPECT_EQ(race_key.count, SITES);
    EXPECT_EQ(static_key_disable(&race_key), POKE_OK);
}

TEXT_USER(static_key, { run_branches, mask_allowed, switch_key }, key_to_disabled, key_to_disabled);

TEST_BARE("text of its own that can be patched", users, static_key_race,
          "hundreds of sites of a key switch at once, under threads, interrupts and NMIs",
          .cpus = 2, .budget_ms = 200, .default_ms = 400,
          .must_see = { { SEE_EXECUTIONS, 200 },
                        { SEE_OVERLAPS, 20 },
                        { SEE_PATCHES, 10 * SITES },
                        { SEE_INT3_HITS, 50 },
                        { SEE_TIMER_EXECUTIONS, 3 },
                        { SEE_NMI_EXECUTIONS, 3 } })
{
    REQUIRE(race_key.count == SITES);
    json_uint(&t->data, "sites", SITES);
    user_load_run(t, &user_static_key.load);
}

/* SPDX-License-Identifier: MIT */
/* Static keys, on branches of this file's own compiled code. */
#include "poke/users/jump_label.h"

#include "kernel/mm/mm.h"
#include "kernel/time/time.h"
#include "smp/percpu.h"
#include "smp/smp.h"
#include "tests/lib/int3_counts.h"
#include "tests/lib/others.h"

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

/*
 * Switches that have begun, and that have ended: odd is enabled. The boot core stores `begun`
 * before it asks for a switch and `done` after it was told that it is over (releases; the acquires
 * are in execute()). If nothing has begun behind what was done before an execution, every site had
 * one state throughout.
 */
static uint64_t begun, done;

struct seen {
    uint64_t executions, overlaps, wrong;
    uint32_t first_wrong; /* mask */
};
enum context { IN_THREAD, IN_TIMER, IN_NMI, CONTEXTS };

/* Each core's, in each context; sums are made when it has stopped. */
static struct seen *seen; /* [core][context] */

static void execute(enum context context)
{
    struct seen *s = &seen[cpu_index() * CONTEXTS + context];
    uint64_t before = load_acquire(&done);
    uint32_t mask = branches[s->executions++ % FUNCTIONS]();
    uint64_t after = load_acquire(&begun);

    if (before != after) {
        s->overlaps++;
    } else if (mask != (before % 2 ? UINT32_MAX : 0)) {
        if (!s->wrong++)
            s->first_wrong = mask;
    }
}

static void in_timer(void)
{
    execute(IN_TIMER);
}

static void in_nmi(void)
{
    execute(IN_NMI);
}

static void reader(__attribute__((unused)) void *arg)
{
    store_release(&this_cpu()->timer_hook, in_timer);
    store_release(&this_cpu()->nmi_hook, in_nmi);
    smp_timer_start(200);
    while (others_go_on()) {
        execute(IN_THREAD);
        cpu_relax();
    }
    smp_timer_start(0);
    store_release(&this_cpu()->timer_hook, NULL);
    store_release(&this_cpu()->nmi_hook, NULL);
}

static void send_nmis(void)
{
    for_each_online_cpu (core)
        if (core != 0)
            smp_send_nmi((unsigned)core);
}

static enum poke_error switch_once(bool on)
{
    store_release(&begun, begun + 1);
    send_nmis();
    enum poke_error e = on ? static_key_enable(&race_key) : static_key_disable(&race_key);
    store_release(&done, done + 1);
    return e;
}

static void judge(struct test_run *t)
{
    static const enum test_exposure sees[] = { SEE_EXECUTIONS, SEE_TIMER_EXECUTIONS,
                                               SEE_NMI_EXECUTIONS };

    for (unsigned i = 0; i < smp_possible() * CONTEXTS; i++) {
        const struct seen *s = &seen[i];

        saw(sees[i % CONTEXTS], s->executions);
        saw(SEE_OVERLAPS, s->overlaps);
        if (s->wrong)
            FAIL("core %u, context %u: %llu executions with a site in the other state, first mask "
                 "0x%08x",
                 i / CONTEXTS, i % CONTEXTS, (unsigned long long)s->wrong, s->first_wrong);
    }
}

TEST_BARE("text of its own that can be patched", users, static_key_race,
          "hundreds of sites of a key switch at once, under threads, interrupts and NMIs",
          .cpus = 2, .budget_ms = 200, .default_ms = 400,
          .must_see = { { SEE_EXECUTIONS, 1000 },
                        { SEE_OVERLAPS, 100 },
                        { SEE_PATCHES, 10 * SITES },
                        { SEE_INT3_HITS, 100 },
                        { SEE_TIMER_EXECUTIONS, 10 },
                        { SEE_NMI_EXECUTIONS, 10 } })
{
    size_t bytes = smp_possible() * CONTEXTS * sizeof *seen;
    uint64_t sites = poke_counters()->sites, hits = int3_counts().hits;
    uint64_t checked = poke_counters()->order_checked;
    uint64_t violations = poke_counters()->order_violations, turns = 0;
    enum poke_error e = POKE_OK;

    REQUIRE(race_key.count == SITES);
    seen = pages_alloc_virt((bytes + PAGE_SIZE - 1) / PAGE_SIZE);
    REQUIRE(seen);
    begun = done = 0;
    others_start(t, 0, reader, NULL);
    for (uint64_t end = rdtsc() + time_ns_to_ticks(test_duration_ms(t) * 1000000);
         !e && rdtsc() < end; turns++)
        e = switch_once(begun % 2 == 0);
    if (begun % 2)
        e = e ? e : switch_once(false);
    others_stop();

    judge(t);
    EXPECT_EQ(e, POKE_OK);
    EXPECT_EQ(poke_counters()->order_violations, violations);
    saw(SEE_PATCHES, poke_counters()->sites - sites);
    saw(SEE_INT3_HITS, int3_counts().hits - hits);
    saw(SEE_ORDER_CHECKS, poke_counters()->order_checked - checked);
    json_uint(&t->data, "sites", SITES);
    json_uint(&t->data, "switches", turns);
}

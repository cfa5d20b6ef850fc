/* SPDX-License-Identifier: MIT */
/*
 * How long it takes to switch a static key, by the number of its sites, beside a bare round of core
 * sync. The sites are made here, eight bytes apart, so that there are keys of every size.
 */
#include "poke/users/jump_label.h"

#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "kernel/time/time.h"
#include "smp/smp.h"
#include "tests/latency/ground.h"
#include "tests/latency/spread.h"
#include "tests/lib/figure.h"
#include "tests/lib/others.h"

#define SITE_BYTES  8u
#define TURNS_MOST  64u
#define TURNS_LEAST 4u

static const struct {
    unsigned sites;
    const char *time, *ratio; /* figures */
} sizes[] = {
    { 1, "users.key_switch_1", "users.key_switch_over_sync_1" },
    { 16, "users.key_switch_16", "users.key_switch_over_sync_16" },
    { 256, "users.key_switch_256", "users.key_switch_over_sync_256" },
    { 1024, "users.key_switch_1024", "users.key_switch_over_sync_1024" },
    { 10000, "users.key_switch_10000", "users.key_switch_over_sync_10000" },
};
#define SIZES (sizeof sizes / sizeof sizes[0])

static struct static_key keys[SIZES];
static uint64_t times[SIZES][TURNS_MOST], ratios[SIZES][TURNS_MOST];

/* Pages of NOP5 and RET, one after the other. NULL if memory is short. */
static uint8_t *make_text(unsigned sites)
{
    static uint8_t page[PAGE_SIZE];
    size_t pages = (sites * SITE_BYTES + PAGE_SIZE - 1) / PAGE_SIZE;
    uint8_t *text = (uint8_t *)mm_text_alloc(pages);

    memset(page, INT3_INSN_OPCODE, sizeof page);
    for (unsigned at = 0; at < PAGE_SIZE; at += SITE_BYTES) {
        memcpy(page + at, poke_nop5, sizeof poke_nop5);
        page[at + sizeof poke_nop5] = RET_INSN_OPCODE;
    }
    for (size_t i = 0; text && i < pages; i++)
        if (text_poke_copy(text + i * PAGE_SIZE, page, sizeof page))
            return NULL;
    return text;
}

/* A key whose sites jump to the instruction behind them. */
static bool make_key(struct static_key *key, unsigned sites)
{
    size_t bytes = sites * sizeof(struct jump_entry);
    struct jump_entry *entries = pages_alloc_virt((bytes + PAGE_SIZE - 1) / PAGE_SIZE);
    uint8_t *text = make_text(sites);

    if (!entries || !text)
        return false;
    for (unsigned i = 0; i < sites; i++) {
        uintptr_t code = (uintptr_t)text + i * SITE_BYTES;

        entries[i] = (struct jump_entry){ .code = code,
                                          .target = code + JMP32_INSN_SIZE,
                                          .key = (uintptr_t)key,
                                          .len = JMP32_INSN_SIZE };
    }
    *key = (struct static_key){ .count = sites, .sites = entries };
    return true;
}

static bool make_keys(void)
{
    for (unsigned i = 0; i < SIZES; i++)
        if (!keys[i].count && !make_key(&keys[i], sizes[i].sites))
            return false;
    return true;
}

static uint64_t time_sync(void)
{
    uint64_t begin = rdtsc();

    smp_text_poke_sync_each_cpu();
    return rdtsc() - begin;
}

static enum poke_error take_turn(unsigned turn)
{
    enum poke_error e = POKE_OK;

    for (unsigned i = 0; i < SIZES && !e; i++) {
        uint64_t sync = time_sync(), begin = rdtsc();

        e = turn % 2 ? static_key_disable(&keys[i]) : static_key_enable(&keys[i]);
        uint64_t took = rdtsc() - begin;
        times[i][turn] = time_ticks_to_ns(took) * 1000;
        ratios[i][turn] = took * 1000 / (sync ? sync : 1);
        cpu_relax();
    }
    return e;
}

static void report(struct test_run *t, unsigned turns)
{
    figures_begin(t);
    for (unsigned i = 0; i < SIZES; i++) {
        struct spread time = spread_of(times[i], turns), ratio = spread_of(ratios[i], turns);

        figure_sampled(t, sizes[i].time, "ns", time.median, time.low, time.high, time.n);
        figure_sampled(t, sizes[i].ratio, "ratio", ratio.median, ratio.low, ratio.high, ratio.n);
    }
    figures_end(t);
}

TEST_BARE("text of its own that can be patched", latency, static_key,
          "how long a static key of 1 to 10 000 sites takes to switch", .budget_ms = 400,
          .default_ms = 200, .must_see = { { SEE_PATCHES, TURNS_LEAST * 10000 } })
{
    uint64_t sites = poke_counters()->sites;
    enum poke_error e = POKE_OK;
    unsigned turns = 0;

    REQUIRE(make_keys());
    others_keep_busy(t);
    ground_check_order(false);
    for (uint64_t end = rdtsc() + time_ns_to_ticks(test_duration_ms(t) * 1000000);
         !e && turns < TURNS_MOST && (rdtsc() < end || turns < TURNS_LEAST || turns % 2); turns++)
        e = take_turn(turns);
    ground_check_order(true);
    others_stop();

    EXPECT_EQ(e, POKE_OK);
    saw(SEE_PATCHES, poke_counters()->sites - sites);
    json_uint(&t->data, "turns", turns);
    report(t, turns);
}

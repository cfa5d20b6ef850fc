/* SPDX-License-Identifier: MIT */
/* Cores that leave and come back: in the middle of batches, and all together. */
#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "poke/event_log.h"
#include "smp/smp.h"
#include "smp/watchdog.h"
#include "tests/harness/test.h"
#include "tests/lib/race.h"

TEST(poke, i21_park_in_batches,
     "cores that go offline and come back in the middle of batches run current instructions only",
     .cpus = 3, .budget_ms = 1200,
     .must_see = { { SEE_PARKS, 30 }, { SEE_INT3_HITS, 100 }, { SEE_ORDER_CHECKS, 100 } })
{
    static const struct site_spec specs[] = { { SITE_5_CALLS, 0x0208 },
                                              { SITE_5, 0x033e },
                                              { SITE_6_JCC, 0x0ffd } };

    race_judge(t, race_run(t, &(struct race_plan){ .specs = specs,
                                                   .count = sizeof specs / sizeof specs[0],
                                                   .ms = 800,
                                                   .least_runs = 300,
                                                   .batch_percent = 50,
                                                   .interrupts = true,
                                                   .parks = true }));
}

/* ---- all others parked ---- */

static void park_here(__attribute__((unused)) void *arg)
{
    smp_park();
}

/* Returns how many are parked. */
static unsigned park_others(void)
{
    unsigned parked = 0;

    for (unsigned i = 1; i < smp_possible(); i++) {
        if (!smp_start_work(i, park_here, NULL))
            continue;
        while (smp_is_online(i))
            cpu_relax();
        parked++;
    }
    return parked;
}

static void unpark_others(void)
{
    for (unsigned i = 1; i < smp_possible(); i++) {
        if (smp_unpark(i))
            smp_wait_work(i);
    }
}

/* The sites that all cores execute after they came back. */
static struct site_set set;
static uint32_t wrong;

static void execute_all(void *wanted)
{
    for (unsigned i = 0; i < set.count; i++) {
        if (site_call(set.sites[i].entry, 0) != set.sites[i].image[*(unsigned *)wanted].signature)
            fetch_add(&wrong, 1);
    }
}

TEST(poke, i26_parked_is_left_alone,
     "a parked core gets no interrupt from a patch, and runs the new instruction when it is back",
     .cpus = 2, .must_see = { { SEE_PATCHES, 40 }, { SEE_CORES, 1 } })
{
    static const struct site_spec specs[] = { { SITE_5_CALLS, 0x0208 }, { SITE_5_CALLS, 0x0ffd } };
    struct prng rng = test_prng(t);

    REQUIRE(site_set_build(&set, specs, 2, &rng));
    wrong = 0;
    for (unsigned round = 0; round < 20; round++) {
        unsigned image = round & 1;
        unsigned parked = park_others();
        struct smp_ipi_counts before = smp_ipi_counts();
        uint64_t order = poke_counters()->order_violations;

        EXPECT_EQ(smp_online(), 1);
        text_mutex_lock();
        for (unsigned i = 0; i < set.count; i++) {
            const struct site *s = &set.sites[i];
            EXPECT_EQ(smp_text_poke_single(s->slot, s->image[image].bytes, s->len, NULL), POKE_OK);
        }
        text_mutex_unlock();
        struct smp_ipi_counts after = smp_ipi_counts();
        EXPECT_EQ(after.sync_broadcasts - before.sync_broadcasts, 3 * set.count);
        EXPECT_EQ(after.sync_acks - before.sync_acks, 3 * set.count); /* this core's own */
        EXPECT_EQ(after.wakes - before.wakes, 0);
        EXPECT_EQ(poke_counters()->order_violations, order);
        unpark_others();
        EXPECT_EQ(smp_online(), parked + 1);
        smp_call_all(execute_all, &image);
        saw(SEE_PATCHES, set.count);
        saw(SEE_CORES, parked);
    }
    EXPECT_EQ(wrong, 0);
}

/* ---- text_poke_early ---- */

#define EARLY_POKES      300
#define EARLY_POKES_MAX  20000 /* until there were enough interrupts */
#define EARLY_INTERRUPTS 100
#define STORM_US         40

static struct {
    const struct site *site;
    uint64_t executions, wrong;
} storm;

/* In the timer interrupt of the only core that runs. */
static void execute_in_storm(void)
{
    uint32_t got = site_call(storm.site->entry, 0);

    storm.executions++;
    storm.wrong += got != storm.site->image[0].signature && got != storm.site->image[1].signature;
}

TEST(poke, early_in_interrupt_storm,
     "text_poke_early: the only core's own interrupts see the old instruction or the new one",
     .budget_ms = 500,
     .must_see = { { SEE_PATCHES, EARLY_POKES }, { SEE_TIMER_EXECUTIONS, EARLY_INTERRUPTS } })
{
    static const struct site_spec spec = { SITE_5_CALLS, 0x0ffd };
    struct prng rng = test_prng(t);

    REQUIRE(site_set_build(&set, &spec, 1, &rng));
    storm.site = &set.sites[0];
    storm.executions = storm.wrong = 0;
    park_others();
    store_release(&this_cpu()->timer_hook, execute_in_storm);
    smp_timer_start(STORM_US);
    for (unsigned i = 1; i <= EARLY_POKES || (load_relaxed(&storm.executions) < EARLY_INTERRUPTS &&
                                              i <= EARLY_POKES_MAX);
         i++) {
        const struct site *s = storm.site;
        EXPECT_EQ(text_poke_early(s->slot, s->image[i & 1].bytes, s->len), POKE_OK);
        EXPECT_EQ(site_call(s->entry, 0), s->image[i & 1].signature); /* at once */
        saw(SEE_PATCHES, 1);
    }
    watchdog_start_core();
    store_release(&this_cpu()->timer_hook, NULL);
    unpark_others();
    EXPECT_EQ(storm.wrong, 0);
    saw(SEE_TIMER_EXECUTIONS, storm.executions);
}

TEST(poke, early_refused, "text_poke_early refuses live cores, bad ranges, and a held lock",
     .cpus = 2)
{
    uint8_t *text = (uint8_t *)mm_text_alloc(1);

    REQUIRE(text);
    EXPECT_EQ(text_poke_early(text, poke_nop5, 5), POKE_E_ONLINE);
    park_others();
    EXPECT_EQ(text_poke_early(text, poke_nop5, 0), POKE_E_LENGTH);
    EXPECT_EQ(text_poke_early(text, poke_nop5, PAGE_SIZE + 1), POKE_E_ADDRESS);
    EXPECT_EQ(text_poke_early(text + PAGE_SIZE - 4, poke_nop5, 5), POKE_E_ADDRESS);
    text_mutex_lock();
    EXPECT_EQ(text_poke_early(text, poke_nop5, 5), POKE_E_LOCK);
    text_mutex_unlock();
    EXPECT_EQ(text[0], INT3_INSN_OPCODE);
    EXPECT_EQ(text_poke_early(text, poke_nop5, 5), POKE_OK);
    EXPECT_EQ(memcmp(text, poke_nop5, 5), 0);
    unpark_others();
}

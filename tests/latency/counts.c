/* SPDX-License-Identifier: MIT */
/*
 * Counts per patch and per site: how often all cores are asked to serialise, how often the window
 * opens, how often text is stored to. They depend neither on the machine nor on what it is doing.
 *
 * What is asserted are bounds that no better engine exceeds: three broadcasts, openings and stores
 * each. That the counters do not stand still is asserted too.
 */
#include "tests/latency/counts.h"

#include "tests/harness/test.h"
#include "tests/latency/ground.h"
#include "tests/latency/measure.h"
#include "tests/latency/readers.h"
#include "tests/lib/figure.h"
#include "tests/lib/held.h"
#include "tests/lib/int3_counts.h"

#define BATCH           TEXT_POKE_ARRAY_MAX
#define SINGLES         4u
#define FOLLOWING       16u /* patches, and batches of FOLLOWING_SITES, one right after the other */
#define FOLLOWING_SITES 1024u
#define PASSES          8u
#define MOST            3u /* broadcasts and openings of a batch, stores to a site */

void counts_begin(struct counts_taken *c)
{
    *c = (struct counts_taken){ .engine = *poke_counters(), .ipis = smp_ipi_counts() };
}

void counts_end(struct counts_taken *c)
{
    const struct poke_counters *engine = poke_counters();
    struct smp_ipi_counts ipis = smp_ipi_counts();

    c->engine.batches = engine->batches - c->engine.batches;
    c->engine.sites = engine->sites - c->engine.sites;
    c->engine.syncs = engine->syncs - c->engine.syncs;
    c->engine.windows = engine->windows - c->engine.windows;
    c->engine.stores = engine->stores - c->engine.stores;
    c->ipis.sync_broadcasts = ipis.sync_broadcasts - c->ipis.sync_broadcasts;
    c->ipis.sync_acks = ipis.sync_acks - c->ipis.sync_acks;
    c->ipis.calls = ipis.calls - c->ipis.calls;
    c->ipis.nmis = ipis.nmis - c->ipis.nmis;
}

/* ---- operations: each leaves the sites as it found them ---- */

static enum poke_error singles(void)
{
    enum poke_error e = POKE_OK;

    for (unsigned i = 0; i < SINGLES && !e; i++)
        e = ground_patch(LAYOUT_PAGE, 0, 1, i % 2 ? IMAGE_NOP : IMAGE_JUMP);
    return e;
}

static enum poke_error one_batch(void)
{
    return ground_patch(LAYOUT_PAGE, 0, BATCH, IMAGE_NOP);
}

static enum poke_error one_batch_in_pages(void)
{
    return ground_patch(LAYOUT_PAGES, 0, BATCH, IMAGE_NOP);
}

/* Descending sites cannot share a batch: each is one of its own, and the queue runs it at once. */
static enum poke_error following_patches(void)
{
    enum poke_error e = POKE_OK;

    for (unsigned i = FOLLOWING; i-- > 0 && !e;)
        e = ground_add(LAYOUT_PAGE, i, IMAGE_NOP);
    return e ? e : smp_text_poke_batch_finish();
}

static enum poke_error following_batches(void)
{
    return ground_patch(LAYOUT_PAGE, 0, FOLLOWING_SITES, IMAGE_NOP);
}

static const struct operation {
    const char *name;
    enum poke_error (*run)(void);
    unsigned sites, batches;
    /* Figures of broadcasts and stores per patch or per site, whichever `per` says; or NULL. */
    const char *broadcasts, *windows, *stores;
    unsigned per;
} operations[] = {
    { "single", singles, SINGLES, SINGLES, "count.ipis_per_patch", "count.windows_per_patch",
      "count.stores_per_patch", SINGLES },
    { "batch", one_batch, BATCH, 1, "count.ipis_per_site_256", "count.windows_per_site_256",
      "count.stores_per_site_256", BATCH },
    { "batch_in_pages", one_batch_in_pages, BATCH, 1, "count.ipis_per_site_256_pages",
      "count.windows_per_site_256_pages", "count.stores_per_site_256_pages", BATCH },
    { "following_patches", following_patches, FOLLOWING, FOLLOWING,
      "count.ipis_per_patch_following", NULL, NULL, FOLLOWING },
    { "following_batches", following_batches, FOLLOWING_SITES, FOLLOWING_SITES / BATCH,
      "count.ipis_per_batch_following", NULL, NULL, FOLLOWING_SITES / BATCH },
};
#define OPERATIONS (sizeof operations / sizeof operations[0])

static void judge(struct test_run *t, const struct operation *op, const struct counts_taken *c)
{
    unsigned most_stores = MOST * op->sites, most = MOST * op->batches;

    EXPECT_EQ(c->engine.batches, op->batches);
    EXPECT_EQ(c->engine.sites, op->sites);
    EXPECT_EQ(c->engine.syncs, c->ipis.sync_broadcasts);
    if (!c->engine.syncs || !c->engine.windows || !c->engine.stores)
        FAIL("%s: a counter stands still", op->name);
    if (c->engine.syncs > most || c->engine.windows > most || c->engine.stores > most_stores)
        FAIL("%s: %llu broadcasts, %llu openings and %llu stores for %u batches of %u sites",
             op->name, (unsigned long long)c->engine.syncs, (unsigned long long)c->engine.windows,
             (unsigned long long)c->engine.stores, op->batches, op->sites);
    if (c->ipis.calls || c->ipis.nmis)
        FAIL("%s: %llu cross-calls and %llu NMIs", op->name, (unsigned long long)c->ipis.calls,
             (unsigned long long)c->ipis.nmis);
    saw(SEE_PATCHES, c->engine.sites);
    saw(SEE_BATCHES, c->engine.batches);
}

static void figure_per(struct test_run *t, const char *name, const char *unit, uint64_t count,
                       unsigned per)
{
    if (name && per)
        figure_count(t, name, unit, (count * 1000 + per / 2) / per);
}

static void figures_of(struct test_run *t, const struct operation *op, const struct counts_taken *c)
{
    figure_per(t, op->broadcasts, "broadcasts", c->ipis.sync_broadcasts, op->per);
    figure_per(t, op->windows, "openings", c->engine.windows, op->per);
    figure_per(t, op->stores, "stores", c->engine.stores, op->per);
}

/* ---- breakpoints ---- */

static void pass(__attribute__((unused)) void *arg)
{
    for (unsigned i = 0; i < PASSES; i++)
        __asm__ volatile("call *%0" : : "r"(ground_site(LAYOUT_PAGE, 0)) : "memory", "cc");
}

/* A core that executes a site PASSES times while its INT3 stands meets it just as often. */
static void count_passes(struct test_run *t)
{
    unsigned core = (unsigned)smp_next_online(0);
    uint64_t before = int3_counts().hits;

    if (!hold_begin(core, ground_site(LAYOUT_PAGE, 0), pass, NULL)) {
        ERROR("core %u could not be started", core);
        return;
    }
    text_mutex_lock();
    enum poke_error e = ground_patch(LAYOUT_PAGE, 0, 1, IMAGE_NOP);
    text_mutex_unlock();
    bool met = hold_end();
    uint64_t hits = int3_counts().hits - before;

    EXPECT_EQ(e, POKE_OK);
    if (met)
        EXPECT_EQ(hits, PASSES);
    else
        WEAK("core %u did not meet the INT3", core);
    figure_count(t, "count.int3_hits_per_pass", "hits", hits * 1000 / PASSES);
    saw(SEE_INT3_HITS, hits);
}

TEST(latency, counts, "broadcasts, openings, stores and INT3 hits per patch and per site",
     .budget_ms = 400, .must_see = { { SEE_PATCHES, 1000 }, { SEE_BATCHES, 20 } })
{
    struct counts_taken taken[OPERATIONS];

    REQUIRE(ground_prepare());
    measure_init();
    if (!readers_start(t, READERS_LOOPING, LAYOUT_PAGE, 1))
        return;
    text_mutex_lock();
    for (unsigned i = 0; i < OPERATIONS; i++) {
        counts_begin(&taken[i]);
        EXPECT_EQ(operations[i].run(), POKE_OK);
        counts_end(&taken[i]);
    }
    text_mutex_unlock();
    readers_stop();
    EXPECT(!ground_holds(LAYOUT_PAGE, 1, IMAGE_JUMP)); /* it sees what is not there */
    EXPECT(ground_holds(LAYOUT_PAGE, GROUND_SITES, IMAGE_NOP));
    EXPECT(ground_holds(LAYOUT_PAGES, GROUND_SITES, IMAGE_NOP));
    figures_begin(t);
    for (unsigned i = 0; i < OPERATIONS; i++) {
        judge(t, &operations[i], &taken[i]);
        figures_of(t, &operations[i], &taken[i]);
    }
    figure_per(t, "count.sites_per_broadcast_following", "sites", FOLLOWING_SITES,
               (unsigned)taken[OPERATIONS - 1].ipis.sync_broadcasts);
    if (smp_online() > 1)
        count_passes(t);
    figures_end(t);
}

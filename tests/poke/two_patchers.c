/* SPDX-License-Identifier: MIT */
/* I19: two cores patch the same sites, singly and in batches; the last writer of each wins. */
#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "poke/event_log.h"
#include "poke/poke.h"
#include "smp/smp.h"
#include "tests/harness/test.h"

#define SITES    8
#define STEP     600 /* some lie across a page */
#define ROUNDS   150
#define PATIENCE 20000 /* pauses in which the other patcher may begin */
#define TURNS    20    /* fewer: one patcher came after the other, not between */

static const uint8_t images[3][5] = {
    { 0x0f, 0x1f, 0x44, 0x00, 0x00 },
    { 0xc3, 0xcc, 0xcc, 0xcc, 0xcc },
    { 0xe9, 0x10, 0x00, 0x00, 0x00 },
};

static uint8_t *text;
static uint8_t last[SITES];      /* image of the last writer; under text_mutex */
static uint32_t refusals, ended; /* errors; patchers that have ended: both cores add */
/* Under text_mutex: who patched last, and how often it was another core than the time before. */
static unsigned last_patcher;
static uint64_t turns;

static void keep(enum poke_error e)
{
    if (e != POKE_OK)
        fetch_add(&refusals, 1);
}

static void patch_rounds(void *arg)
{
    struct prng *rng = arg;

    for (unsigned i = 0; i < ROUNDS; i++) {
        bool batch = prng_below(rng, 2);

        text_mutex_lock();
        turns += last_patcher != cpu_index();
        last_patcher = cpu_index();
        for (unsigned n = batch ? 4 : 1; n; n--) { /* in any order: the queue flushes by itself */
            unsigned site = prng_below(rng, SITES);
            last[site] = (uint8_t)prng_below(rng, 3);
            keep(smp_text_poke_batch_add(text + site * STEP, images[last[site]], 5, NULL, NULL));
        }
        keep(smp_text_poke_batch_finish());
        text_mutex_unlock();
        /* Whoever has just had the lock is nearest to it: let the other one have its turn. */
        for (unsigned n = 0; n < PATIENCE && load_relaxed(&last_patcher) == cpu_index(); n++) {
            if (load_relaxed(&ended))
                break;
            cpu_relax();
        }
    }
    fetch_add(&ended, 1);
}

TEST(poke, i19_two_patchers, "two patchers exclude each other, and each site holds its last write",
     .cpus = 2, .budget_ms = 1000,
     .must_see = {
         { SEE_PATCHES, 2 * ROUNDS }, { SEE_ORDER_CHECKS, 2 * ROUNDS }, { SEE_TURNS, TURNS } })
{
    struct prng mine = test_prng(t), others = { prng_next(&mine) };
    unsigned other = (unsigned)smp_next_online(0);

    text = (uint8_t *)mm_text_alloc(2);
    REQUIRE(text);
    EXPECT_EQ(text_poke_set(text, 0xcc, 2 * PAGE_SIZE), POKE_OK);
    memset(last, 0, sizeof last);
    refusals = ended = 0;
    turns = 0;
    last_patcher = cpu_index();
    for (unsigned i = 0; i < SITES; i++)
        EXPECT_EQ(text_poke_copy(text + i * STEP, images[0], 5), POKE_OK);
    text_mutex_lock();
    poke_order_reset();
    struct poke_counters before = *poke_counters();
    text_mutex_unlock();

    REQUIRE(smp_start_work(other, patch_rounds, &others));
    patch_rounds(&mine);
    smp_wait_work(other);

    EXPECT_EQ(refusals, 0);
    for (unsigned i = 0; i < SITES; i++)
        EXPECT_EQ(memcmp(text + i * STEP, images[last[i]], 5), 0);
    text_mutex_lock();
    if (poke_first_fault())
        FAIL("order: %s (core %u)", poke_first_fault()->what, poke_first_fault()->core);
    saw(SEE_PATCHES, poke_counters()->sites - before.sites);
    saw(SEE_ORDER_CHECKS, poke_counters()->order_checked - before.order_checked);
    EXPECT_EQ(poke_counters()->order_checked - before.order_checked,
              poke_counters()->batches - before.batches);
    saw(SEE_TURNS, turns);
    text_mutex_unlock();
}

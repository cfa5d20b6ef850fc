/* SPDX-License-Identifier: MIT */
/* I9: a batch costs just as many syncs, windows and CR3 loads as it needs; mapping is silent. */
#include "kernel/mm/mm.h"
#include "poke/poke.h"
#include "smp/smp.h"
#include "tests/harness/test.h"
#include "tests/lib/others.h"

#define PAGES 64

static const uint8_t ret[5] = { 0xc3, 0xcc, 0xcc, 0xcc, 0xcc };
static const uint8_t int3 = INT3_INSN_OPCODE;
static const uint8_t int3_slot[5] = { 0xcc, 0xcc, 0xcc, 0xcc, 0xcc };

static const struct {
    const char *what;
    const uint8_t *bytes, *emulate;
    unsigned len, sites, step; /* bytes from site to site */
    unsigned syncs, windows;
} batches[] = {
    { "one site with a tail", poke_nop5, NULL, 5, 1, 16, 3, 3 },
    { "many sites with tails", poke_nop5, NULL, 5, 200, 16, 3, 3 },
    { "sites in many pages", poke_nop5, NULL, 5, PAGES - 1, PAGE_SIZE + 16, 3, 3 },
    { "one byte each", ret, NULL, 1, 10, 16, 2, 2 },
    { "INT3 each", &int3, NULL, 1, 10, 16, 1, 1 },
    { "INT3 with a tail", int3_slot, poke_nop5, 5, 10, 16, 2, 2 },
};

static void run_batch(struct test_run *t, uint8_t *text, unsigned i)
{
    struct poke_counters before = *poke_counters();
    struct mm_window_counts window = *mm_window_counts();
    struct smp_ipi_counts sent = smp_ipi_counts();

    for (unsigned s = 0; s < batches[i].sites; s++)
        EXPECT_EQ(smp_text_poke_batch_add(text + batches[i].step * s, batches[i].bytes,
                                          batches[i].len, batches[i].emulate, NULL),
                  POKE_OK);
    EXPECT_EQ(smp_text_poke_batch_finish(), POKE_OK);

    const struct poke_counters *after = poke_counters();
    struct smp_ipi_counts sent_after = smp_ipi_counts();
    if (after->syncs - before.syncs != batches[i].syncs ||
        after->windows - before.windows != batches[i].windows)
        FAIL("%s: %llu syncs and %llu windows, expected %u and %u", batches[i].what,
             (unsigned long long)(after->syncs - before.syncs),
             (unsigned long long)(after->windows - before.windows), batches[i].syncs,
             batches[i].windows);
    /* Into the window and out of it, however many sites and pages it shows. */
    EXPECT_EQ(mm_window_counts()->openings - window.openings, batches[i].windows);
    EXPECT_EQ(mm_window_counts()->root_loads - window.root_loads, 2 * batches[i].windows);
    EXPECT_EQ(after->sites - before.sites, batches[i].sites);
    EXPECT_EQ(after->batches - before.batches, 1);
    EXPECT_EQ(sent_after.sync_broadcasts - sent.sync_broadcasts, batches[i].syncs);
    EXPECT_EQ(sent_after.sync_acks - sent.sync_acks, batches[i].syncs * smp_online());
    EXPECT_EQ(sent_after.calls - sent.calls, 0);
    EXPECT_EQ(sent_after.nmis - sent.nmis, 0);
    saw(SEE_BATCHES, 1);
    saw(SEE_PATCHES, batches[i].sites);
}

TEST_BARE(
    "page tables of its own", poke, i9_syncs_and_windows,
    "3, 2 or 1 syncs and windows a batch, by its kind, whatever its size; 2 CR3 loads a window",
    .must_see = { { SEE_BATCHES, 6 } })
{
    uint8_t *text = (uint8_t *)mm_text_alloc(PAGES);

    REQUIRE(text);
    others_keep_busy(t);
    text_mutex_lock();
    for (unsigned i = 0; i < sizeof batches / sizeof batches[0]; i++)
        run_batch(t, text, i);
    text_mutex_unlock();
    others_stop();
}

TEST(poke, i9_plain_poke_is_silent, "text_poke alone sends no interrupt and synchronises nobody",
     .must_see = { { SEE_PATCHES, 100 } })
{
    uint8_t *text = (uint8_t *)mm_text_alloc(2);

    REQUIRE(text);
    struct smp_ipi_counts before = smp_ipi_counts();
    text_mutex_lock();
    for (unsigned i = 0; i < 100; i++) {
        EXPECT_EQ(text_poke(text + PAGE_SIZE - 2, poke_nop5, 5), POKE_OK);
        saw(SEE_PATCHES, 1);
    }
    text_mutex_unlock();
    struct smp_ipi_counts after = smp_ipi_counts();
    EXPECT_EQ(after.sync_broadcasts, before.sync_broadcasts);
    EXPECT_EQ(after.calls, before.calls);
    EXPECT_EQ(after.nmis, before.nmis);
}

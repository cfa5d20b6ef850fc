/* SPDX-License-Identifier: MIT */
/*
 * Counts that the machine alone can tell: loads of CR3, translations dropped by hand, and
 * interrupts that other cores took for a patch. A process has no tables of its own, and its kernel
 * does not say whom it interrupted.
 *
 * A load of CR3 drops translations in every mode but the one that sets bit 63; there INVLPG does.
 */
#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "tests/harness/test.h"
#include "tests/latency/counts.h"
#include "tests/latency/ground.h"
#include "tests/latency/measure.h"
#include "tests/latency/readers.h"
#include "tests/latency/spread.h"
#include "tests/lib/figure.h"

#define BATCH             TEXT_POKE_ARRAY_MAX
#define PATCHES           9u
#define LOADS_PER_OPENING 2u

static const struct operation {
    const char *loads, *flushes; /* figures, per site */
    enum layout layout;
    unsigned sites;
} operations[] = {
    { "count.cr3_loads_per_patch", "count.tlb_flushes_per_patch", LAYOUT_PAGE, 1 },
    { "count.cr3_loads_per_site_256", "count.tlb_flushes_per_site_256", LAYOUT_PAGE, BATCH },
    { "count.cr3_loads_per_site_256_pages", "count.tlb_flushes_per_site_256_pages", LAYOUT_PAGES,
      BATCH },
};

static void figure_per_site(struct test_run *t, const char *name, const char *unit, uint64_t count,
                            unsigned sites)
{
    figure_count(t, name, unit, (count * 1000 + sites / 2) / sites);
}

static void count_loads(struct test_run *t, const struct operation *op)
{
    text_mutex_lock();
    struct mm_window_counts before = *mm_window_counts();
    EXPECT_EQ(ground_patch(op->layout, 0, op->sites, IMAGE_NOP), POKE_OK);
    struct mm_window_counts after = *mm_window_counts();
    text_mutex_unlock();

    uint64_t openings = after.openings - before.openings;
    uint64_t loads = after.root_loads - before.root_loads;
    uint64_t by_hand = after.invalidations - before.invalidations;
    bool keeping = strcmp(mm_window_mode_name(), "noflush") == 0;

    if (!openings || loads > LOADS_PER_OPENING * openings)
        FAIL("%s: %llu loads of CR3 for %llu openings", op->loads, (unsigned long long)loads,
             (unsigned long long)openings);
    figure_per_site(t, op->loads, "loads", loads, op->sites);
    figure_per_site(t, op->flushes, "flushes", keeping ? by_hand : loads, op->sites);
    saw(SEE_PATCHES, op->sites);
}

/*
 * Interrupts that others took for one patch. Every reader has to be asked, and no core twice. A
 * halted core may be awake at that moment, for its timer.
 */
static void count_interrupts(struct test_run *t, enum readers kind, const char *figure)
{
    uint64_t taken[PATCHES];

    if (!readers_start(t, kind, LAYOUT_PAGE, 1))
        return;
    text_mutex_lock();
    for (unsigned i = 0; i < PATCHES; i++) {
        struct counts_taken c;

        counts_begin(&c);
        EXPECT_EQ(ground_patch(LAYOUT_PAGE, 0, 1, IMAGE_NOP), POKE_OK);
        counts_end(&c);
        taken[i] = 1000 * (c.ipis.sync_acks - c.ipis.sync_broadcasts); /* not the patcher's own */
        uint64_t most = 1000 * c.ipis.sync_broadcasts * (smp_online() - 1);
        if (taken[i] > most || (kind == READERS_LOOPING && taken[i] != most))
            FAIL("%s: %llu acknowledgements of %llu broadcasts with %u cores", figure,
                 (unsigned long long)c.ipis.sync_acks, (unsigned long long)c.ipis.sync_broadcasts,
                 smp_online());
        saw(SEE_PATCHES, 1);
    }
    text_mutex_unlock();
    readers_stop();

    struct spread s = spread_of(taken, PATCHES);
    if (kind == READERS_LOOPING)
        figure_count(t, figure, "interrupts", s.median);
    else
        figure_sampled(t, figure, "interrupts", s.median, s.low, s.high, s.n);
}

TEST_BARE("page tables and interrupts of its own", latency, counts_of_machine,
          "loads of CR3, dropped translations and interrupts of others, per patch and per site",
          .budget_ms = 400, .must_see = { { SEE_PATCHES, 2 * BATCH } })
{
    REQUIRE(ground_prepare());
    measure_init();
    json_string(&t->data, "window", mm_window_mode_name());
    json_uint(&t->data, "cores", smp_online());
    figures_begin(t);
    for (unsigned i = 0; i < sizeof operations / sizeof operations[0]; i++)
        count_loads(t, &operations[i]);
    count_interrupts(t, READERS_HALTED, "count.interrupts_per_patch_halted");
    count_interrupts(t, READERS_LOOPING, "count.interrupts_per_patch_looping");
    figures_end(t);
}

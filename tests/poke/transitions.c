/* SPDX-License-Identifier: MIT */
/*
 * I12 to I15, one kind of change per test: every core executes a few sites of one family while they
 * are patched, and each execution is one of the images that were current, whole.
 */
#include "tests/lib/race.h"

/* Within a line, across a line, across a page. */
#define THREE_PLACES(family)                                                                       \
    {                                                                                              \
        { family, 0x0208 }, { family, 0x033e },                                                    \
        {                                                                                          \
            family, 0x0ffe                                                                         \
        }                                                                                          \
    }

static void run(struct test_run *t, const struct site_spec specs[3], bool interrupts)
{
    race_judge(t, race_run(t, &(struct race_plan){
                                  .specs = specs,
                                  .count = 3,
                                  .ms = 400,
                                  .least_runs = 150,
                                  .batch_percent = 30,
                                  .interrupts = interrupts,
                              }));
}

#define SEEN_ENOUGH                                                                                \
    { SEE_INT3_HITS, 100 }, { SEE_OVERLAPS, 200 }, { SEE_PATCHES, 100 }, { SEE_CROSSINGS, 30 },    \
    {                                                                                              \
        SEE_ORDER_CHECKS, 60                                                                       \
    }

TEST(poke, i12_nop5_call, "nop5 <-> call on all cores: old or new, never a mix", .cpus = 2,
     .budget_ms = 700, .must_see = { SEEN_ENOUGH })
{
    static const struct site_spec specs[] = THREE_PLACES(SITE_5_CALL);
    run(t, specs, false);
}

TEST(poke, i12_call_call, "call A <-> call B on all cores: one of the two, never a third place",
     .cpus = 2, .budget_ms = 700, .must_see = { SEEN_ENOUGH })
{
    static const struct site_spec specs[] = THREE_PLACES(SITE_5_CALLS);
    run(t, specs, false);
}

TEST(poke, i12_nop5_jmp_jmp, "nop5, jmp A and jmp B on all cores: old or new, never a mix",
     .cpus = 2, .budget_ms = 700, .must_see = { SEEN_ENOUGH })
{
    static const struct site_spec specs[] = THREE_PLACES(SITE_5_JMPS);
    run(t, specs, false);
}

TEST(poke, i12_nop2_jmp8_ret, "nop2, jmp8 and ret on all cores: old or new, never a mix", .cpus = 2,
     .budget_ms = 700, .must_see = { SEEN_ENOUGH })
{
    static const struct site_spec specs[] = { { SITE_2, 0x0208 },
                                              { SITE_2, 0x033f },
                                              { SITE_2, 0x0fff } };
    run(t, specs, false);
}

TEST(poke, i12_jcc_short, "short conditional jumps on all cores: old or new, never a mix",
     .cpus = 2, .budget_ms = 700, .must_see = { SEEN_ENOUGH })
{
    static const struct site_spec specs[] = { { SITE_2_JCC, 0x0208 },
                                              { SITE_2_JCC, 0x033f },
                                              { SITE_2_JCC, 0x0fff } };
    run(t, specs, false);
}

TEST(poke, i12_jcc_near, "near conditional jumps on all cores: old or new, never a mix", .cpus = 2,
     .budget_ms = 700, .must_see = { SEEN_ENOUGH })
{
    static const struct site_spec specs[] = THREE_PLACES(SITE_6_JCC);
    run(t, specs, false);
}

TEST(poke, i18_interrupts,
     "sites in timer interrupts and NMIs of all cores, the patcher's included", .cpus = 2,
     .budget_ms = 700,
     .must_see = { SEEN_ENOUGH, { SEE_TIMER_EXECUTIONS, 50 }, { SEE_NMI_EXECUTIONS, 50 } })
{
    static const struct site_spec specs[] = THREE_PLACES(SITE_5);
    run(t, specs, true);
}

/* ---- geometry ---- */

#define OFFSETS 64
#define SPLITS  4

TEST(poke, i23_geometry, "a call at each of 64 line offsets and at each split of a page is whole",
     .cpus = 2, .budget_ms = 2000,
     .must_see = { { SEE_INT3_HITS, 500 },
                   { SEE_OVERLAPS, 500 },
                   { SEE_PATCHES, 500 },
                   { SEE_CROSSINGS, 50 } })
{
    static struct site_spec specs[OFFSETS + SPLITS];

    for (unsigned i = 0; i < OFFSETS; i++) /* 16 sites to a page, none across its end */
        specs[i] = (struct site_spec){ SITE_5_CALLS, i / 16 * 0x1000 + 0x100 + i % 16 * 0xc0 + i };
    for (unsigned i = 0; i < SPLITS; i++)
        specs[OFFSETS + i] = (struct site_spec){ SITE_5_CALLS, 0x5000 + i * 0x1000 - 1 - i };
    race_judge(t, race_run(t, &(struct race_plan){ .specs = specs,
                                                   .count = OFFSETS + SPLITS,
                                                   .ms = 1500,
                                                   .least_runs = 150,
                                                   .batch_percent = 40 }));
}

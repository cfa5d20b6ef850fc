/* SPDX-License-Identifier: MIT */
/*
 * How long must one wait on this processor? The breakpoint protocol with waits in place of syncs
 * (Chamith et al., PLDI 2016), on sites across a line, with the wait swept: the first wait from
 * which on no execution failed. A wait is no guarantee; this is what their paper measured, and an
 * interrupted or preempted reader can be later than any of them.
 */
#include "tests/errata/wild.h"
#include "tests/errata/wild_patch.h"

#define CELL_MS 50
#define SITES   4

static const uint16_t waits[] = { 0,    100,  200,  300,  400,  500,  600, 800,
                                  1000, 1200, 1600, 2000, 2400, 3000, 4000 };
#define WAITS (sizeof waits / sizeof waits[0])

TEST(errata, timed_wait,
     "the wait in place of each sync is swept: failures per wait, and the first without any",
     .cpus = 2, .budget_ms = 1200, .must_see = { { SEE_PATCHES, 500 }, { SEE_OVERLAPS, 500 } })
{
    /* Across a line at every split, as in the paper. */
    static const struct site_spec specs[SITES] = { { SITE_5_CALLS, 0x043f },
                                                   { SITE_5_CALLS, 0x143e },
                                                   { SITE_5_CALLS, 0x243d },
                                                   { SITE_5_CALLS, 0x343c } };
    const struct wild_row *row = wild_find("timed-wait");
    uint64_t usual = wild_wait, first_clean = waits[0];

    json_array(&t->data, "waits");
    for (unsigned i = 0; i < WAITS; i++) {
        wild_wait = waits[i];
        const struct race_result *r = wild_race(t, row, specs, SITES, CELL_MS);

        if (!r->ran)
            return;
        uint64_t bad = r->outcomes[OUTCOME_TORN] + r->outcomes[OUTCOME_FAULT];

        json_object(&t->data, NULL);
        json_uint(&t->data, "ticks", waits[i]);
        json_uint(&t->data, "patches", r->patcher.singles);
        json_uint(&t->data, "executions", r->executions[EXEC_THREAD]);
        json_uint(&t->data, "overlaps", r->overlaps);
        json_uint(&t->data, "failures", bad);
        json_object_end(&t->data);
        if (bad)
            first_clean = i + 1 < WAITS ? waits[i + 1] : UINT64_MAX;
        saw(SEE_PATCHES, r->patcher.singles);
        saw(SEE_OVERLAPS, r->overlaps);
        saw(SEE_EXECUTIONS, r->executions[EXEC_THREAD]);
    }
    json_array_end(&t->data);
    wild_wait = usual;
    if (first_clean != UINT64_MAX)
        json_uint(&t->data, "first_clean_ticks", first_clean);
}

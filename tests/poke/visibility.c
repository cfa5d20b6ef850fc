/* SPDX-License-Identifier: MIT */
/*
 * I13 and I14. The event log shows that the syncs were made; here is what they are made for. What a
 * missing serialising instruction would do is not to be seen on an emulator (docs/model.md); that
 * the protocol returns only when no core executes the old version any more, is.
 */
#include "tests/poke/visibility.h"

#include "tests/lib/numbered_race.h"

#define LENGTH_MS 350
#define AHEAD_MIN 200 /* executions between the first sync and the end of a patch */

/* ---- I13 ---- */

/* The last version that the patcher has finished; it stores, executions load it as their begin. */
static uint64_t epoch;
static bool epoch_too_early;

static uint64_t last_epoch(void)
{
    return load_acquire(&epoch); /* pairs with the release in patch_epoch() */
}

static enum poke_error patch_epoch(uint64_t version)
{
    if (epoch_too_early) {
        store_release(&epoch, version);
        cpu_relax(); /* on an emulator that takes turns, the other cores' turn */
    }
    enum poke_error e = numbered_patch(version);

    store_release(&epoch, version); /* pairs with the acquire in last_epoch() */
    return e;
}

void visible_when_finished(struct test_run *t, bool too_early)
{
    epoch = 0;
    epoch_too_early = too_early;
    numbered_race_run(
        t, &(struct numbered_race){ .oldest = last_epoch, .patch = patch_epoch, .ms = LENGTH_MS });
}

TEST(poke, i13_monotonic,
     "when a patch has returned, no execution that starts later on any core is of an older version",
     .cpus = 2, .budget_ms = 450,
     .must_see = { { SEE_EXECUTIONS, 1000 },
                   { SEE_TIMER_EXECUTIONS, 10 },
                   { SEE_INT3_HITS, 100 },
                   { SEE_OVERLAPS, 100 },
                   { SEE_PATCHES, 100 } })
{
    visible_when_finished(t, false);
}

/* ---- I14 ---- */

/*
 * The version that is being patched in, and the count of syncs from which on it is in effect. The
 * patcher stores the count, then the version (release); executions load them the other way round.
 * When a version is announced, the patch of the one before is over: that one is in effect.
 */
static uint64_t announced, effective_at[NUMBERED_VERSIONS];

static uint64_t effective_version(void)
{
    uint64_t version = load_acquire(&announced); /* pairs with the release in patch_announced() */
    /*
     * One word that the patcher increments after each sync: read without text_mutex, it is a count
     * of syncs that have ended. Program order on both sides does the rest.
     */
    uint64_t syncs = load_acquire(&poke_counters()->syncs);

    return version && syncs < effective_at[version] ? version - 1 : version;
}

static enum poke_error patch_announced(uint64_t version)
{
    effective_at[version] = poke_counters()->syncs + 1;
    store_release(&announced, version); /* pairs with the acquire in effective_version() */
    return numbered_patch(version);
}

void effective_at_first_sync(struct test_run *t, const struct poke_protocol *row)
{
    announced = 0;
    text_mutex_lock();
    EXPECT_EQ(poke_select_protocol(row), POKE_OK);
    text_mutex_unlock();
    uint64_t ahead = numbered_race_run(t, &(struct numbered_race){ .oldest = effective_version,
                                                                   .patch = patch_announced,
                                                                   .ms = LENGTH_MS });
    text_mutex_lock();
    EXPECT_EQ(poke_select_protocol(NULL), POKE_OK);
    text_mutex_unlock();
    json_uint(&t->data, "between_first_sync_and_end", ahead);
    if (ahead < AHEAD_MIN)
        WEAK("%llu executions began between the first sync and the end of their patch, needs %u",
             (unsigned long long)ahead, AHEAD_MIN);
}

/* The right order, with more syncs than it needs: time to execute while only the INT3 stands. */
static const struct poke_protocol slow = {
    .name = "int3-slow",
    .promise = "as int3",
    .source = "int3 with syncs repeated",
    .steps = { POKE_STEP_PUBLISH, POKE_STEP_INT3, POKE_STEP_SYNC, POKE_STEP_SYNC, POKE_STEP_SYNC,
               POKE_STEP_TAIL, POKE_STEP_SYNC, POKE_STEP_SYNC, POKE_STEP_FIRST, POKE_STEP_SYNC,
               POKE_STEP_RETIRE, POKE_STEP_END },
};

TEST(poke, i14_effective_at_sync1,
     "when the first sync of a patch has ended, no execution that starts later is of the old "
     "version",
     .cpus = 2, .budget_ms = 450,
     .must_see = { { SEE_EXECUTIONS, 1000 },
                   { SEE_TIMER_EXECUTIONS, 10 },
                   { SEE_INT3_HITS, 100 },
                   { SEE_OVERLAPS, 100 },
                   { SEE_PATCHES, 100 } })
{
    effective_at_first_sync(t, &slow);
}

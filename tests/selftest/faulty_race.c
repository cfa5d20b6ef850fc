/* SPDX-License-Identifier: MIT */
/* Must fail: the race of numbered versions, with a patcher that takes back what it has patched. */
#include "kernel/time/time.h"
#include "poke/poke.h"
#include "tests/lib/numbered_race.h"

static uint64_t any_version(void)
{
    return 0;
}

/* Never older than oldest() says, never newer than what was begun: only a core's order tells. */
static enum poke_error patch_and_take_back(uint64_t version)
{
    enum poke_error e = numbered_patch(version);

    time_delay_us(200); /* to execute it */
    return e ? e : numbered_patch(version - 1);
}

TEST(selftest, fault_backwards,
     "must fail: a core that executes a new version, and then the one before, is found", .cpus = 2,
     .budget_ms = 500)
{
    numbered_race_run(t, &(struct numbered_race){
                             .oldest = any_version, .patch = patch_and_take_back, .ms = 350 });
}

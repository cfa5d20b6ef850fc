/* SPDX-License-Identifier: MIT */
/*
 * Must fail: the invariants' own tests, with a fault in what the test's actors do or with a row of
 * steps that breaks this invariant. A test here that passes means that a detector is blind.
 */
#include "tests/poke/controls.h"
#include "tests/poke/freed_target.h"
#include "tests/poke/orphans.h"
#include "tests/poke/self_reference.h"
#include "tests/poke/visibility.h"
#include "tests/selftest/faulty_protocols.h"

TEST(selftest, fault_early_epoch,
     "must fail: a patch that is said to be finished before it has begun shows old executions",
     .cpus = 2, .budget_ms = 500)
{
    visible_when_finished(t, true);
}

TEST(selftest, fault_early_sync,
     "must fail: a first sync that comes before the INT3 shows old executions after it", .cpus = 2,
     .budget_ms = 500)
{
    effective_at_first_sync(t, &poke_fault_early_sync);
}

TEST(selftest, fault_sync_before_publish,
     "must fail: an INT3 that is met before the table is published is nobody's", .cpus = 2,
     .budget_ms = 1000)
{
    race_for_orphans(t, &poke_fault_sync_before_publish);
}

TEST(selftest, fault_early_retire,
     "must fail: an INT3 that is met after the table was retired is nobody's", .cpus = 2,
     .budget_ms = 1000)
{
    race_for_orphans(t, &poke_fault_early_retire);
}

TEST(selftest, fault_free_when_patched,
     "must fail: a target that is freed when its last patch has ended still has cores inside",
     .cpus = 2, .budget_ms = 500)
{
    race_for_freed_target(t, FREE_WHEN_PATCHED);
}

TEST(selftest, fault_free_at_once,
     "must fail: a target that is freed before the site leaves it is still entered", .cpus = 2,
     .budget_ms = 500)
{
    race_for_freed_target(t, FREE_AT_ONCE);
}

TEST(selftest, control_without_fault,
     "must be weak: a control that does not tear, since nothing is wrong, says that it is blind",
     .cpus = 2, .budget_ms = 200)
{
    control_must_tear(t, &poke_int3);
}

TEST(selftest, fault_patcher_calls_site,
     "must fail: a patcher that executes patchable text on its way is seen to do so", .cpus = 2,
     .budget_ms = 200)
{
    step_through_patches(t, true);
}

/* SPDX-License-Identifier: MIT */
/*
 * Must fail: a store in pieces that calls itself one store, where the vendor promises that it is.
 */
#include "tests/errata/tear.h"

#define SLICE_NS 20000000u

TEST(selftest, fault_torn_store,
     "must fail: a store that a vendor calls atomic for fetches and that is not", .cpus = 2,
     .budget_ms = 500)
{
    const struct store_kind *pieces = store_kind_find(TEAR_CONTROL);
    struct store_kind liar = {
        .name = "liar", .bytes = pieces->bytes, .alignment = 1, .pieces = 1, .store = pieces->store
    };
    struct tear_cell cell = { .kind = &liar, .state = TEAR_HOT };
    struct tear_sweep sweep = { .vendor = VENDOR_AMD }; /* as if this processor were one */
    struct tear_map map = { .sweep = &sweep, .cells = &cell, .count = 1 };

    if (!tear_sweep_setup(t, RELATION_OTHER, &map.setup))
        ERROR("no reader");
    if (!tear_code_init() || !tear_slice(&map.setup, &cell, SLICE_NS))
        ERROR("text cannot be written");
    tear_judge(t, &map);
}

/* SPDX-License-Identifier: MIT */
/* The order in which a core fetches the parts of one store; see tear_order.c. */
#ifndef TESTS_ERRATA_TEAR_ORDER_H
#define TESTS_ERRATA_TEAR_ORDER_H

#include "tests/errata/tear_sweep.h"

/* The kind of store that must show the wrong order: its first half long before its second one. */
#define ORDER_CONTROL "split-2x32"

struct order_counts {
    uint64_t executions, stores;
    uint64_t seen;     /* changes of the first instruction */
    uint64_t forward;  /* the second one newer than the first */
    uint64_t backward; /* the first one newer than the second */
    uint64_t dropped;  /* so far apart that nobody can tell */
    uint64_t foreign;  /* a value that no store has */
    uint64_t faults;
    bool lost; /* memory did not hold what was stored last */
};

/* One cell, for `ns`, of a kind that stores 8 bytes. False: text cannot be written. */
bool order_race(struct tear_setup *setup, const struct store_kind *kind, enum tear_state state,
                unsigned placement, uint64_t ns, struct order_counts *counts);

/* Does the vendor exclude the wrong order here? Pure. */
bool order_is_promised(enum vendor vendor, const struct store_kind *kind, unsigned placement);

/* FAIL of the test for what the vendor excludes, or no vendor could mean. */
void order_judge(struct test_run *t, enum vendor vendor, const struct store_kind *kind,
                 unsigned placement, const struct order_counts *c);

#endif

/* SPDX-License-Identifier: MIT */
/* What the litmus engine must notice, planted: each of these tests must not pass. */
#include "tests/errata/litmus_test.h"

/* What is claimed of any vendor. */
#define PLANTED                                                                                    \
    {                                                                                              \
        LITMUS_GUARANTEED, LITMUS_GUARANTEED, LITMUS_GUARANTEED, "planted"                         \
    }

/* MP.RF with the reader's two steps in the wrong order. */
static const struct litmus_shape early_reader = {
    .name = "MP.RF.early",
    .threads = 2,
    .program = { { CODE(F, 1), STORE(X, 1) }, { EXEC(F), FENCE, LOAD(X) } },
    .premise = { IS(1, 1, 1) },
    .asked = { IS_NOT(1, 0, 1) },
    .overlap = { IS(1, 0, 0), IS(1, 1, 1) },
    .promise = { PLANTED, PLANTED, PLANTED },
};

TEST(selftest, litmus_early_reader, "FAIL: a reader that executes before it looks at the flag",
     .cpus = 2, .budget_ms = LITMUS_BUDGET_MS, .default_ms = LITMUS_DEFAULT_MS)
{
    litmus_test(t, &early_reader);
}

static const struct litmus_shape torn = {
    .name = "SM.torn",
    .threads = 1,
    .program = { { CODE(F, LITMUS_PLANT_TORN), EXEC(F) } },
    .asked = { IS(0, 0, LITMUS_TORN) },
    .promise = { PLANTED, PLANTED, PLANTED },
};

TEST(selftest, litmus_torn, "FAIL: a function whose number is a mix", .budget_ms = LITMUS_BUDGET_MS,
     .default_ms = LITMUS_DEFAULT_MS)
{
    litmus_test(t, &torn);
}

static const struct litmus_shape stale = {
    .name = "MP.RF.careless",
    .threads = 2,
    .program = { { CODE(F, 1), STORE(X, 1) }, { LOAD(X), FENCE, EXEC(F) } },
    .asked = { IS(1, 1, LITMUS_STALE) },
    .overlap = { IS(1, 0, 0) },
    .careless = true,
};

TEST(selftest, litmus_stale, "FAIL: functions that return the number of an earlier batch",
     .cpus = 2, .budget_ms = LITMUS_BUDGET_MS, .default_ms = LITMUS_DEFAULT_MS)
{
    litmus_test(t, &stale);
}

static const struct litmus_shape fault = {
    .name = "SM.fault",
    .threads = 1,
    .program = { { CODE(F, LITMUS_PLANT_FAULT), EXEC(F) } },
    .asked = { IS(0, 0, 0) },
    .promise = { PLANTED, PLANTED, PLANTED },
};

TEST(selftest, litmus_fault, "FAIL: a function that has become an invalid instruction",
     .budget_ms = LITMUS_BUDGET_MS, .default_ms = LITMUS_DEFAULT_MS)
{
    litmus_test(t, &fault);
}

/* No overlap can show what no processor does. */
static const struct litmus_shape apart = {
    .name = "MP.apart",
    .threads = 2,
    .program = { { STORE(X, 1), STORE(Y, 1) }, { LOAD(Y), LOAD(X) } },
    .premise = { IS(1, 0, 1) },
    .asked = { IS_NOT(1, 1, 1) },
    .overlap = { IS(1, 0, 1), IS(1, 1, 0) },
};

TEST(selftest, litmus_apart, "WEAK: threads that were never seen to overlap", .cpus = 2,
     .budget_ms = LITMUS_BUDGET_MS, .default_ms = LITMUS_DEFAULT_MS)
{
    litmus_test(t, &apart);
}

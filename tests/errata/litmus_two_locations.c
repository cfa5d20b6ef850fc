/* SPDX-License-Identifier: MIT */
/* Two threads and two locations, of which one at least is a function. */
#include "tests/errata/litmus_sources.h"
#include "tests/errata/litmus_test.h"

static const struct litmus_shape mp_rf = {
    .name = "MP.RF",
    .threads = 2,
    .program = { { CODE(F, 1), STORE(X, 1) }, { LOAD(X), FENCE, EXEC(F) } },
    .premise = { IS(1, 0, 1) },
    .asked = { IS_NOT(1, 1, 1) },
    .overlap = { IS(1, 0, 0), IS(1, 1, 1) },
    .promise = { INTEL(ALLOWED, ALLOWED, GUARANTEED, SDM_CROSS),
                 AMD(ALLOWED, ALLOWED, GUARANTEED, APM_CROSS) },
};

TEST(errata, litmus_mp_rf, "who has seen the flag, and serialised, executes the code stored before",
     .cpus = 2, .budget_ms = LITMUS_BUDGET_MS, .default_ms = LITMUS_DEFAULT_MS,
     .must_see = { { SEE_EXECUTIONS, 200 } })
{
    litmus_test(t, &mp_rf);
}

static const struct litmus_shape mp_ff = {
    .name = "MP.FF",
    .threads = 2,
    .program = { { CODE(F, 1), CODE(G, 1) }, { EXEC(G), FENCE, EXEC(F) } },
    .premise = { IS(1, 0, 1) },
    .asked = { IS_NOT(1, 1, 1) },
    .overlap = { IS(1, 0, 0), IS(1, 1, 1) },
    .promise = { INTEL(UNSPECIFIED, UNSPECIFIED, UNSPECIFIED, SDM_CROSS),
                 AMD(GUARANTEED, GUARANTEED, GUARANTEED, APM_FETCH) },
};

TEST(errata, litmus_mp_ff, "who has executed the second store to code executes the first as well",
     .cpus = 2, .budget_ms = LITMUS_BUDGET_MS, .default_ms = LITMUS_DEFAULT_MS,
     .must_see = { { SEE_EXECUTIONS, 200 } })
{
    litmus_test(t, &mp_ff);
}

static const struct litmus_shape mp_fr = {
    .name = "MP.FR",
    .threads = 2,
    .program = { { STORE(X, 1), CODE(F, 1) }, { EXEC(F), FENCE, LOAD(X) } },
    .premise = { IS(1, 0, 1) },
    .asked = { IS_NOT(1, 1, 1) },
    .overlap = { IS(1, 0, 0), IS(1, 1, 1) },
};

TEST(errata, litmus_mp_fr, "who has executed the new code sees the data stored before", .cpus = 2,
     .budget_ms = LITMUS_BUDGET_MS, .default_ms = LITMUS_DEFAULT_MS,
     .must_see = { { SEE_EXECUTIONS, 200 } })
{
    litmus_test(t, &mp_fr);
}

/* What does not drain the store buffer leaves the store of Y behind the fetch. */
static const struct litmus_shape sb_rf = {
    .name = "SB.RF",
    .threads = 2,
    .program = { { CODE(F, 1), MFENCE, LOAD(Y) }, { STORE(Y, 1), FENCE, EXEC(F) } },
    .asked = { IS(0, 0, 0), IS_NOT(1, 0, 1) },
    .overlap = { IS(0, 0, 1), IS(1, 0, 1) },
    .counts = LITMUS_DRAINS,
    .promise = { INTEL(ALLOWED, ALLOWED, UNSPECIFIED, SDM_ORDER),
                 AMD(ALLOWED, ALLOWED, UNSPECIFIED, APM_ORDER) },
};

TEST(errata, litmus_sb_rf, "of a thread that stores code and one that executes it, one is late",
     .cpus = 2, .budget_ms = LITMUS_BUDGET_MS, .default_ms = LITMUS_DEFAULT_MS,
     .must_see = { { SEE_EXECUTIONS, 200 } })
{
    litmus_test(t, &sb_rf);
}

static const struct litmus_shape sb_ff = {
    .name = "SB.FF",
    .threads = 2,
    .program = { { CODE(F, 1), FENCE, EXEC(G) }, { CODE(G, 1), FENCE, EXEC(F) } },
    .asked = { IS_NOT(0, 0, 1), IS_NOT(1, 0, 1) },
    .overlap = { IS(0, 0, 1), IS(1, 0, 1) },
    .counts = LITMUS_DRAINS,
    .promise = { INTEL(ALLOWED, ALLOWED, UNSPECIFIED, SDM_ORDER),
                 AMD(ALLOWED, ALLOWED, UNSPECIFIED, APM_ORDER) },
};

TEST(errata, litmus_sb_ff, "of two threads that change each other's code, one sees the change",
     .cpus = 2, .budget_ms = LITMUS_BUDGET_MS, .default_ms = LITMUS_DEFAULT_MS)
{
    litmus_test(t, &sb_ff);
}

static const struct litmus_shape lb_rf = {
    .name = "LB.RF",
    .threads = 2,
    .program = { { LOAD(X), CODE(F, 1) }, { EXEC(F), FENCE, STORE(X, 1) } },
    .premise = { IS(0, 0, 1) },
    .asked = { IS(1, 0, 1) },
    .overlap = { IS(0, 0, 0), IS(1, 0, 0) },
};

TEST(errata, litmus_lb_rf, "nobody executes code that is stored because it was executed", .cpus = 2,
     .budget_ms = LITMUS_BUDGET_MS, .default_ms = LITMUS_DEFAULT_MS,
     .must_see = { { SEE_EXECUTIONS, 200 } })
{
    litmus_test(t, &lb_rf);
}

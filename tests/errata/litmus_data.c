/* SPDX-License-Identifier: MIT */
/*
 * Controls of the litmus engine, on data, whose rules are known: that it sees what real cores show,
 * and sees nothing that they do not.
 */
#include "tests/errata/litmus_sources.h"
#include "tests/errata/litmus_test.h"

static const struct litmus_shape sb = {
    .name = "SB",
    .threads = 2,
    .program = { { STORE(X, 1), FENCE, LOAD(Y) }, { STORE(Y, 1), FENCE, LOAD(X) } },
    .asked = { IS(0, 0, 0), IS(1, 0, 0) },
    .overlap = { IS(0, 0, 1), IS(1, 0, 1) },
    .counts = LITMUS_DRAINS,
    .promise = { INTEL(ALLOWED, ALLOWED, GUARANTEED, SDM_ORDER),
                 AMD(ALLOWED, ALLOWED, GUARANTEED, APM_ORDER) },
    .control = true,
};

TEST(errata, litmus_data_sb, "store buffers show, but not through a fence that drains them",
     .cpus = 2, .budget_ms = LITMUS_BUDGET_MS, .default_ms = LITMUS_DEFAULT_MS,
     .must_see = { { SEE_EXECUTIONS, 200 } })
{
    litmus_test(t, &sb);
}

static const struct litmus_shape mp = {
    .name = "MP",
    .threads = 2,
    .program = { { STORE(X, 1), STORE(Y, 1) }, { LOAD(Y), FENCE, LOAD(X) } },
    .premise = { IS(1, 0, 1) },
    .asked = { IS_NOT(1, 1, 1) },
    .overlap = { IS(1, 0, 0), IS(1, 1, 1) },
    .promise = { INTEL(GUARANTEED, GUARANTEED, GUARANTEED, SDM_ORDER),
                 AMD(GUARANTEED, GUARANTEED, GUARANTEED, APM_ORDER) },
};

TEST(errata, litmus_data_mp, "who has seen the flag sees the data stored before", .cpus = 2,
     .budget_ms = LITMUS_BUDGET_MS, .default_ms = LITMUS_DEFAULT_MS,
     .must_see = { { SEE_EXECUTIONS, 200 } })
{
    litmus_test(t, &mp);
}

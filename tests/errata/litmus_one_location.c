/* SPDX-License-Identifier: MIT */
/* One function: what a thread executes, and reads, of its own and of another thread's stores. */
#include "tests/errata/litmus_sources.h"
#include "tests/errata/litmus_test.h"

static const struct litmus_shape sm = {
    .name = "SM",
    .threads = 1,
    .program = { { CODE(F, 1), FENCE, EXEC(F) } },
    .asked = { IS_NOT(0, 0, 1) },
    .promise = { INTEL(ALLOWED, GUARANTEED, GUARANTEED, SDM_SELF),
                 AMD(GUARANTEED, GUARANTEED, GUARANTEED, APM_SELF) },
};

TEST(errata, litmus_sm, "a thread executes the code that it has just stored",
     .budget_ms = LITMUS_BUDGET_MS, .default_ms = LITMUS_DEFAULT_MS,
     .must_see = { { SEE_EXECUTIONS, 200 } })
{
    litmus_test(t, &sm);
}

static const struct litmus_shape coff = {
    .name = "CoFF",
    .threads = 2,
    .program = { { CODE(F, 1) }, { EXEC(F), FENCE, EXEC(F) } },
    .premise = { IS(1, 0, 1) },
    .asked = { IS_NOT(1, 1, 1) },
    .overlap = { IS(1, 0, 0), IS(1, 1, 1) },
    .promise = { INTEL(UNSPECIFIED, UNSPECIFIED, UNSPECIFIED, SDM_CROSS),
                 AMD(GUARANTEED, GUARANTEED, GUARANTEED, APM_FETCH) },
};

TEST(errata, litmus_coff, "who has executed the new code does not execute the old one again",
     .cpus = 2, .budget_ms = LITMUS_BUDGET_MS, .default_ms = LITMUS_DEFAULT_MS,
     .must_see = { { SEE_EXECUTIONS, 200 } })
{
    litmus_test(t, &coff);
}

static const struct litmus_shape cofr = {
    .name = "CoFR",
    .threads = 2,
    .program = { { CODE(F, 1) }, { EXEC(F), FENCE, READ(F) } },
    .premise = { IS(1, 0, 1) },
    .asked = { IS_NOT(1, 1, 1) },
    .overlap = { IS(1, 0, 0), IS(1, 1, 1) },
};

TEST(errata, litmus_cofr, "who has executed the new code loads it as data", .cpus = 2,
     .budget_ms = LITMUS_BUDGET_MS, .default_ms = LITMUS_DEFAULT_MS,
     .must_see = { { SEE_EXECUTIONS, 200 } })
{
    litmus_test(t, &cofr);
}

/* Called 2SM in the catalogue of herdtools7, with the reader's cache maintenance as its fence. */
static const struct litmus_shape corf = {
    .name = "CoRF",
    .threads = 2,
    .program = { { CODE(F, 1) }, { READ(F), FENCE, EXEC(F) } },
    .premise = { IS(1, 0, 1) },
    .asked = { IS_NOT(1, 1, 1) },
    .overlap = { IS(1, 0, 0), IS(1, 1, 1) },
    .promise = { INTEL(UNSPECIFIED, UNSPECIFIED, GUARANTEED, SDM_CROSS),
                 AMD(UNSPECIFIED, UNSPECIFIED, GUARANTEED, APM_CROSS) },
};

TEST(errata, litmus_corf, "who has loaded the new code as data, and serialised, executes it",
     .cpus = 2, .budget_ms = LITMUS_BUDGET_MS, .default_ms = LITMUS_DEFAULT_MS,
     .must_see = { { SEE_EXECUTIONS, 200 } })
{
    litmus_test(t, &corf);
}

static const struct litmus_shape cofw = {
    .name = "CoFW",
    .threads = 2,
    .program = { { CODE(F, 1) }, { EXEC(F), CODE(F, 2), FENCE, EXEC(F) } },
    .premise = { IS(1, 0, 1) },
    .asked = { IS_NOT(1, 1, 2) },
    .overlap = { IS(1, 0, 0), IS(1, 1, 1) },
    .promise = { INTEL(ALLOWED, GUARANTEED, GUARANTEED, SDM_SELF),
                 AMD(GUARANTEED, GUARANTEED, GUARANTEED, APM_SELF) },
};

TEST(errata, litmus_cofw, "who replaces code that another core has stored executes its own",
     .cpus = 2, .budget_ms = LITMUS_BUDGET_MS, .default_ms = LITMUS_DEFAULT_MS)
{
    litmus_test(t, &cofw);
}

static const struct litmus_shape two_sm = {
    .name = "2SM",
    .threads = 2,
    .program = { { CODE(F, 1), FENCE, EXEC(F) }, { CODE(F, 2), FENCE, EXEC(F) } },
    .premise = { IS(0, 0, 2) },
    .asked = { IS(1, 0, 1) },
    .overlap = { IS(0, 0, 2), IS(1, 0, 2) },
};

TEST(errata, litmus_2sm, "two threads that store to the same code agree on which store is the last",
     .cpus = 2, .budget_ms = LITMUS_BUDGET_MS, .default_ms = LITMUS_DEFAULT_MS)
{
    litmus_test(t, &two_sm);
}

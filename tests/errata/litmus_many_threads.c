/* SPDX-License-Identifier: MIT */
/* Three and four threads: is a store to code seen by all at once? */
#include "tests/errata/litmus_test.h"

static const struct litmus_shape wrc_f = {
    .name = "WRC.F",
    .threads = 3,
    .program = { { CODE(F, 1) }, { EXEC(F), STORE(X, 1) }, { LOAD(X), FENCE, EXEC(F) } },
    .premise = { IS(1, 0, 1), IS(2, 0, 1) },
    .asked = { IS_NOT(2, 1, 1) },
    .overlap = { IS(1, 0, 1), IS(2, 0, 0), IS(2, 1, 1) },
};

TEST(errata, litmus_wrc_f, "code that one core has executed is executed by those that it tells",
     .cpus = 3, .budget_ms = LITMUS_BUDGET_MS, .default_ms = LITMUS_DEFAULT_MS,
     .must_see = { { SEE_EXECUTIONS, 200 } })
{
    litmus_test(t, &wrc_f);
}

static const struct litmus_shape iriw_f = {
    .name = "IRIW.F",
    .threads = 4,
    .program = { { CODE(F, 1) },
                 { CODE(G, 1) },
                 { EXEC(F), FENCE, EXEC(G) },
                 { EXEC(G), FENCE, EXEC(F) } },
    .premise = { IS(2, 0, 1), IS(3, 0, 1) },
    .asked = { IS_NOT(2, 1, 1), IS_NOT(3, 1, 1) },
    .overlap = { IS(2, 0, 1), IS(2, 1, 0) },
};

TEST(errata, litmus_iriw_f, "two cores agree on which of two stores to code was the first",
     .cpus = 4, .budget_ms = LITMUS_BUDGET_MS, .default_ms = LITMUS_DEFAULT_MS)
{
    litmus_test(t, &iriw_f);
}

/* With one of the two stores to data, so that one core alone writes code. */
static const struct litmus_shape iriw_fr = {
    .name = "IRIW.FR",
    .threads = 4,
    .program = { { CODE(F, 1) },
                 { STORE(X, 1) },
                 { EXEC(F), FENCE, LOAD(X) },
                 { LOAD(X), FENCE, EXEC(F) } },
    .premise = { IS(2, 0, 1), IS(3, 0, 1) },
    .asked = { IS_NOT(2, 1, 1), IS_NOT(3, 1, 1) },
    .overlap = { IS(2, 0, 1), IS(2, 1, 0) },
};

TEST(errata, litmus_iriw_fr, "two cores agree which was first, a store to code or one to data",
     .cpus = 4, .budget_ms = LITMUS_BUDGET_MS, .default_ms = LITMUS_DEFAULT_MS,
     .must_see = { { SEE_EXECUTIONS, 200 } })
{
    litmus_test(t, &iriw_fr);
}

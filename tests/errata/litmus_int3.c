/* SPDX-License-Identifier: MIT */
/* The engine's INT3 protocol as a writer: whoever knows that it is over executes the new code. */
#include "tests/errata/litmus_sources.h"
#include "tests/errata/litmus_test.h"

#define PROTOCOL                                                                                   \
    "INT3 protocol: every core has serialised between the last store and the flag; its first "     \
    "byte alone changes under execution"

static const struct litmus_shape mp_int3 = {
    .name = "MP.int3",
    .threads = 2,
    .program = { { POKE(F), STORE(X, 1) }, { LOAD(X), FENCE, EXEC(F) } },
    .premise = { IS(1, 0, 1) },
    .asked = { IS_NOT(1, 1, 1) },
    .overlap = { IS(1, 0, 0), IS(1, 1, LITMUS_INT3) },
    .promise = { INTEL(GUARANTEED, GUARANTEED, GUARANTEED, PROTOCOL),
                 AMD(GUARANTEED, GUARANTEED, GUARANTEED, PROTOCOL) },
    .delay = 100000, /* longer than a patch takes */
};

TEST(errata, litmus_mp_int3, "while an INT3 protocol runs, old, INT3 or new; after it, new",
     .cpus = 2, .budget_ms = LITMUS_BUDGET_MS, .default_ms = LITMUS_DEFAULT_MS,
     .must_see = { { SEE_EXECUTIONS, 200 }, { SEE_OVERLAPS, 1 } })
{
    litmus_test(t, &mp_int3);
}

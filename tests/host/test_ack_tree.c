/* SPDX-License-Identifier: MIT */
/* The tree of acknowledgements is complete when the last expected core has arrived, not before. */
#include "tests/host/host_test.h"

#include "smp/ack_tree.h"

#define CORES_MAX 2500 /* more than one group for a node */
#define ROUNDS    400

static unsigned cores[CORES_MAX];

/* A random set of the cores below `limit`, in random order. Returns how many. */
static unsigned choose(struct prng *prng, unsigned limit)
{
    unsigned percent = prng_below(prng, 101), n = 0;

    for (unsigned i = 0; i < limit; i++) {
        if (prng_below(prng, 100) >= percent)
            continue;
        unsigned at = prng_below(prng, n + 1);

        cores[n++] = cores[at];
        cores[at] = i;
    }
    return n;
}

static void test_last_arrival_completes(void **state)
{
    struct prng prng = prng_stream(1, 0);

    (void)state;
    assert_true(ack_tree_complete());
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned n = choose(&prng, 1 + prng_below(&prng, CORES_MAX));

        for (unsigned i = 0; i < n; i++)
            ack_tree_expect(cores[i]);
        for (unsigned i = 0; i < n; i++) {
            assert_false(ack_tree_complete());
            ack_tree_arrive(cores[n - 1 - i]);
        }
        assert_true(ack_tree_complete()); /* and empty: the next round uses it again */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_last_arrival_completes) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

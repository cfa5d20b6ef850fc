/* SPDX-License-Identifier: MIT */
/* One test for each verdict that is not PASS: the report must say so, and why. */
#include "tests/harness/test.h"

TEST(selftest, must_be_weak, "must be weak: a test that sees too little is no pass",
     .must_see = { { SEE_INT3_HITS, 100 } })
{
    saw(SEE_INT3_HITS, 3);
}

TEST(selftest, must_fail, "must fail: an expectation that does not hold")
{
    EXPECT_EQ(1 + 1, 3);
}

TEST(selftest, must_error, "must be an error: the harness itself could not do its work")
{
    FAIL("the less severe verdict");
    ERROR("planted error");
    FAIL("a later, less severe verdict");
}

TEST(selftest, must_skip, "must skip: a machine that does not have what the test needs")
{
    SKIP("planted skip");
}

TEST(selftest, must_skip_cores, "must skip: a test that needs more cores than any machine has",
     .cpus = 100000)
{
    FAIL("it ran");
}

TEST(selftest, must_pass, "must pass: nothing is wrong", .must_see = { { SEE_INT3_HITS, 3 } })
{
    saw(SEE_INT3_HITS, 3);
}

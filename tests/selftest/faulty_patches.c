/* SPDX-License-Identifier: MIT */
/*
 * Must fail: the race of the main job in small, under protocols that lack something. What an
 * emulator executes wrongly is found by the oracle, what it hides is found in the event log. A test
 * here that passes means that a detector is blind.
 */
#include "tests/lib/race.h"
#include "tests/selftest/faulty_protocols.h"

/* Few sites, so that the one that is being patched is executed in between. */
static const struct site_spec placements[] = {
    { SITE_5_CALLS, 0x0200 }, { SITE_5_JMPS, 0x033e }, { SITE_5_CALLS, 0x0ffe },
    { SITE_6, 0x1200 },       { SITE_6, 0x133d },      { SITE_5_JMPS, 0x1ffd },
};

static const struct race_result *race_under(struct test_run *t,
                                            const struct poke_protocol *protocol)
{
    return race_run(t, &(struct race_plan){
                           .specs = placements,
                           .count = sizeof placements / sizeof placements[0],
                           .ms = 1500,
                           .batch_percent = 25,
                           .protocol = protocol,
                       });
}

/* The oracle has to find it. */
static void must_tear(struct test_run *t, const struct poke_protocol *protocol)
{
    const struct race_result *r = race_under(t, protocol);
    char text[sizeof t->reason];

    if (r->finding.outcome == OUTCOME_LEGAL)
        return;
    race_describe_finding(r, text, sizeof text);
    FAIL("%s", text);
}

/* The event log has to show it, whether or not a core ran into it. */
static void must_violate_order(struct test_run *t, const struct poke_protocol *protocol)
{
    const struct race_result *r = race_under(t, protocol);
    char text[sizeof t->reason];

    if (!r->order_violated)
        return;
    race_describe_order(r, text, sizeof text);
    FAIL("%s", text);
}

TEST(selftest, fault_bytewise, "must fail: sites rewritten byte by byte with no protocol tear",
     .cpus = 2, .budget_ms = 2500)
{
    must_tear(t, &poke_fault_bytewise);
}

TEST(selftest, fault_no_int3, "must fail: tail before first byte with no INT3 tears", .cpus = 2,
     .budget_ms = 2500)
{
    must_tear(t, &poke_fault_no_int3);
}

TEST(selftest, fault_no_sync1, "must fail: the log shows that the sync after the INT3 is missing",
     .cpus = 2, .budget_ms = 2500)
{
    must_violate_order(t, &poke_fault_no_sync1);
}

TEST(selftest, fault_no_sync2, "must fail: the log shows that the sync after the tail is missing",
     .cpus = 2, .budget_ms = 2500)
{
    must_violate_order(t, &poke_fault_no_sync2);
}

TEST(selftest, fault_no_sync3,
     "must fail: the log shows that the sync after the first byte is missing", .cpus = 2,
     .budget_ms = 2500)
{
    must_violate_order(t, &poke_fault_no_sync3);
}

TEST(selftest, fault_late_publish,
     "must fail: the log shows that the table was published after the INT3", .cpus = 2,
     .budget_ms = 2500)
{
    must_violate_order(t, &poke_fault_late_publish);
}

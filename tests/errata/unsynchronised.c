/* SPDX-License-Identifier: MIT */
/*
 * The erratum of unsynchronised cross-modifying code: what a processor raises when an instruction
 * is rewritten under it with no protocol. Counts by vector; #GP is what the vendor's text names.
 * Nothing is promised, so nothing fails but the detector: byte by byte it must show something.
 */
#include "kernel/trap/trap.h"
#include "tests/errata/erratum.h"
#include "tests/errata/wild.h"

#define CELL_MS 100

static const struct erratum xmc = {
    .id = "Intel E49, AH33, W108",
    .reference = "specification updates of Pentium III, Core 2 mobile, Celeron: \"Unsynchronized "
                 "Cross-Modifying Code Operations Can Cause Unexpected Instruction Execution "
                 "Results\"; later moved into SDM vol 3A",
    .hypothesis = "an unsynchronised rewrite raises exceptions that neither instruction would",
    .expected = "any exception is allowed; #GP is the documented one",
    .affected = { { VENDOR_INTEL, 6, 7, 11 }, { VENDOR_INTEL, 6, 15, 15 } },
};

static void record_vectors(struct json *j, const struct race_result *r)
{
    json_object(j, "faults_by_vector");
    for (unsigned v = 0; v < 32; v++) {
        if (r->vectors[v])
            json_uint(j, trap_name(v), r->vectors[v]);
    }
    json_object_end(j);
    for (unsigned v = 0; v < 32; v++) {
        if (r->vectors[v] && erratum_confounder(v))
            json_string(j, "confounder", erratum_confounder(v));
    }
}

static uint64_t run(struct test_run *t, const char *row)
{
    /* Every split of a line and of a page. */
    static const uint32_t offsets[] = { 0x043f, 0x063d, 0x0ffe, 0x143e, 0x163c, 0x1fff, 0x2ffc };
    static struct site_spec specs[sizeof offsets / sizeof offsets[0]];

    for (unsigned i = 0; i < sizeof offsets / sizeof offsets[0]; i++)
        specs[i] = (struct site_spec){ wild_family_5(), offsets[i] };
    const struct race_result *r =
        wild_race(t, wild_find(row), specs, sizeof specs / sizeof specs[0], CELL_MS);

    if (!r->ran)
        return 0;
    json_object(&t->data, row);
    json_uint(&t->data, "executions", r->executions[EXEC_THREAD]);
    json_uint(&t->data, "patches", r->patcher.singles);
    json_uint(&t->data, "torn", r->outcomes[OUTCOME_TORN]);
    record_vectors(&t->data, r);
    json_object_end(&t->data);
    saw(SEE_EXECUTIONS, r->executions[EXEC_THREAD]);
    saw(SEE_PATCHES, r->patcher.singles);
    return r->outcomes[OUTCOME_TORN] + r->outcomes[OUTCOME_FAULT];
}

TEST(errata, unsynchronised,
     "exceptions of unsynchronised rewrites across lines and pages, counted", .cpus = 2,
     .budget_ms = 500, .must_see = { { SEE_PATCHES, 200 }, { SEE_EXECUTIONS, 500 } })
{
    erratum_record(&t->data, &xmc);
    run(t, "quadword");
    if (!run(t, "bytewise"))
        WEAK("blind: bytes stored one by one showed nothing");
}

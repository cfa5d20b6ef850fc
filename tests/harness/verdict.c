/* SPDX-License-Identifier: MIT */
#include "tests/harness/verdict.h"

#include <stdarg.h>

#include "kernel/lib/fmt.h"
#include "smp/smp.h"

static const struct {
    const char *name;
    enum exit_code code;
} verdicts[] = {
    [VERDICT_PASS] = { "PASS", EXIT_PASS },    [VERDICT_SKIP] = { "SKIP", EXIT_SKIP },
    [VERDICT_WEAK] = { "WEAK", EXIT_WEAK },    [VERDICT_FAIL] = { "FAIL", EXIT_FAIL },
    [VERDICT_ERROR] = { "ERROR", EXIT_ERROR },
};

static const char *const exposures[] = {
#define X(id, text) [id] = text,
    TEST_EXPOSURES(X)
#undef X
};

const char *verdict_name(enum verdict v)
{
    return verdicts[v].name;
}

enum exit_code verdict_exit_code(enum verdict v)
{
    return verdicts[v].code;
}

const char *exposure_name(unsigned exposure)
{
    return exposures[exposure];
}

void test_verdict(struct test_run *t, enum verdict v, const char *fmt, ...)
{
    va_list args;

    if (v <= t->verdict)
        return;
    t->verdict = v;
    va_start(args, fmt);
    fmt_vprint(t->reason, sizeof t->reason, fmt, args);
    va_end(args);
}

void verdict_check_exposure(struct test_run *t)
{
    if (t->verdict != VERDICT_PASS)
        return;
    for (unsigned i = 0; i < sizeof t->test->must_see / sizeof t->test->must_see[0]; i++) {
        const struct test_must_see *m = &t->test->must_see[i];

        if (m->what == SEE_NMI_EXECUTIONS && !smp_has_nmis())
            continue;
        if (t->saw[m->what] < m->least)
            WEAK("saw %llu %s, needs %llu", (unsigned long long)t->saw[m->what], exposures[m->what],
                 (unsigned long long)m->least);
    }
}

enum verdict verdict_of_run(const struct verdict_totals *totals)
{
    for (enum verdict v = VERDICT_ERROR; v >= VERDICT_WEAK; v--) {
        if (totals->of[v])
            return v;
    }
    return totals->of[VERDICT_PASS] ? VERDICT_PASS : VERDICT_SKIP;
}

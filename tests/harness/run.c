/* SPDX-License-Identifier: MIT */
/* One run: the machine, the plan, the tests one after the other. */
#include "kernel/lib/fmt.h"
#include "kernel/time/time.h"
#include "kernel/trap/trap.h"
#include "smp/smp.h"
#include "smp/watchdog.h"
#include "tests/harness/harness.h"
#include "tests/harness/health_record.h"
#include "tests/harness/live.h"
#include "tests/harness/machine_record.h"
#include "tests/harness/plan.h"
#include "tests/harness/report.h"
#include "tests/harness/slice.h"
#include "tests/harness/verdict.h"
#include "tests/lib/event_rings.h"

/* For a test's records, between its end and the next one's begin, by a slow serial port. */
#define REPORT_MS 60000

static struct words words;
static struct plan plan;
static struct test_run run;
static unsigned left_out; /* tests that a key has skipped, or ended early */
static char data_buffer[96 * 1024];

const struct words *test_words(void)
{
    return &words;
}

bool test_duration_given(void)
{
    return plan_gives_seconds(&words);
}

uint64_t test_duration_ms(const struct test_run *t)
{
    return plan_duration_ms(t->test, &words);
}

struct prng test_prng(const struct test_run *t)
{
    uint64_t hash = 0xcbf29ce484222325; /* FNV-1a of the name */

    for (const char *c = t->test->name; *c; c++)
        hash = (hash ^ (uint8_t)*c) * 0x100000001b3;
    return prng_stream(words.seed, hash);
}

void test_hist(struct test_run *t, const char *name, const struct hist *hist)
{
    if (t->hist_count == sizeof t->hists / sizeof t->hists[0]) {
        ERROR("more histograms than a test may have: %s", name);
        return;
    }
    t->hists[t->hist_count++] = (struct test_hist){ name, hist };
}

/* The time since reset in TSC ticks differs from boot to boot in its low bits; that is enough. */
static uint64_t new_seed(void)
{
    struct prng p = { rdtsc() };

    return prng_next(&p) >> 16; /* short enough to be typed */
}

static void run_body(struct test_run *t)
{
    const struct test *test = t->test;
    uint64_t budget_ms = plan_budget_ms(test, &words);

    if (test->lacking) {
        SKIP("needs %s, which a process does not have", test->lacking);
        return;
    }
    if (smp_online() < test->cpus) {
        SKIP("needs %u cores, %u %s online", test->cpus, smp_online(),
             smp_online() == 1 ? "is" : "are");
        return;
    }
    watchdog_stage(test->name, (unsigned)(budget_ms + words.hang * 1000));
    test->body(t);
    watchdog_stage("harness", REPORT_MS);
    if (live_was_skipped())
        SKIP("ended early by a key");
    if (t->data.overflow)
        ERROR("the data does not fit in %zu bytes", sizeof data_buffer);
    verdict_check_exposure(t);
}

static void run_test(unsigned number, const struct test *test)
{
    live_test_begins(number, test);

    uint64_t begin = rdtsc();
    run = (struct test_run){ .test = test };
    json_init(&run.data, data_buffer, sizeof data_buffer);
    report_test_begins(number, test);
    if (live_skip())
        test_verdict(&run, VERDICT_SKIP, "not run: %s by a key",
                     live_finish() ? "ended" : "skipped");
    else
        run_body(&run);
    left_out += live_was_skipped();
    uint64_t ms = time_ticks_to_ns(rdtsc() - begin) / 1000000;
    report_test(number, &run, ms);
    health_between_tests();
    live_test_ends(&run, ms);
}

/* What was not tested proves nothing. */
static void judge_keys(void)
{
    if (left_out)
        report_run_verdict(VERDICT_WEAK, "%u of %u tests left out by a key", left_out, plan.count);
}

/* What passes without a core that the machine has is not the whole proof. */
static void judge_cores(void)
{
    unsigned missing = machine_name_missing_cores();

    if (missing)
        report_run_verdict(VERDICT_WEAK, "%u of %u cores did not start", missing, smp_possible());
}

/* False: `error` says why there is nothing to run. */
static bool prepare(char *error, size_t size)
{
    if (words.cpus > smp_topology()->listed) {
        fmt_print(error, size, "cpus=%llu: this machine has %u usable cores",
                  (unsigned long long)words.cpus, smp_topology()->listed);
        return false;
    }
    if (words.cpus > smp_online()) {
        fmt_print(error, size, "cpus=%llu: %u cores came up", (unsigned long long)words.cpus,
                  smp_online());
        return false;
    }
    if (!event_rings_attach()) {
        fmt_print(error, size, "no memory for the event log");
        return false;
    }
    return plan_make(&plan, &words, error, size);
}

enum exit_code harness_main(const struct words *w)
{
    char error[2 * WORDS_TEXT_MAX];

    words = *w;
    if (!words.seed)
        words.seed = new_seed();
    report_start(&words);
    live_start(&words);
    watchdog_set_report(report_hang);
    panic_set_record(report_panic);
    machine_record_cpu(&words);
    machine_record_time();
    judge_cores();
    if (!prepare(error, sizeof error))
        return report_bail(error);
    machine_record_staleness();
    health_begin();
    report_plan(&plan);
    live_plan(&plan);
    slice_first(plan.tests[0]);
    for (unsigned i = 0; i < plan.count; i++) {
        if (i != 0 && slice_is_over(&words))
            slice_next(plan.tests[i]);
        run_test(i + 1, plan.tests[i]);
    }
    health_end();
    judge_keys();
    return report_end();
}

enum exit_code harness_bail(const char *why)
{
    words_defaults(&words);
    report_start(&words);
    live_start(&words);
    return report_bail(why);
}

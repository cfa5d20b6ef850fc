// SPDX-License-Identifier: MIT
/*
 * One run: header, machine, plan, the tests one after the other, end. A hang and a panic end the
 * same report from wherever they are found.
 */
#include "kernel/console/console.h"
#include "kernel/cpu/regs.h"
#include "kernel/lib/fmt.h"
#include "kernel/lib/string.h"
#include "kernel/time/time.h"
#include "kernel/trap/trap.h"
#include "smp/smp.h"
#include "smp/watchdog.h"
#include "tests/harness/harness.h"
#include "tests/harness/machine_record.h"
#include "tests/harness/plan.h"
#include "tests/harness/record.h"
#include "tests/harness/replay.h"
#include "tests/harness/verdict.h"
#include "tests/lib/event_rings.h"

extern const char crossmod_version[], crossmod_build[];

/* Of the run. Written by the boot core; a hang or a panic reads them from any core, at the end. */
static struct words words;
static struct plan plan;
static struct verdict_totals totals;
static struct test_run run;
static unsigned current; /* number of the test that runs, from 1; 0: none */

static char data_buffer[96 * 1024];

const struct words *test_words(void)
{
    return &words;
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

/* ---- begin ---- */

/* The time since reset in TSC ticks differs from boot to boot in its low bits; that is enough. */
static uint64_t new_seed(void)
{
    struct prng p = { rdtsc() };

    return prng_next(&p) >> 16; /* short enough to be typed */
}

static void write_start(void)
{
    char replay[2 * WORDS_TEXT_MAX];

    replay_words(&words, replay, sizeof replay);
    con_printf("TAP version 14\n# crossmod %s build %s seed 0x%llx\n# replay: %s\n",
               crossmod_version, crossmod_build, (unsigned long long)words.seed, replay);

    struct json *j = record_begin("start");
    json_string(j, "version", crossmod_version);
    json_string(j, "build", crossmod_build);
    json_hex(j, "seed", words.seed);
    json_string(j, "words", replay);
    record_end();
}

static void write_plan(void)
{
    con_printf("1..%u # budget %llu s\n", plan.count,
               (unsigned long long)(plan.budget_ms + 999) / 1000);

    struct json *j = record_begin("plan");
    json_uint(j, "count", plan.count);
    json_uint(j, "budget_ms", plan.budget_ms);
    json_array(j, "tests");
    for (unsigned i = 0; i < plan.count; i++)
        json_string(j, NULL, plan.tests[i]->name);
    json_array_end(j);
    record_end();
}

/* ---- end ---- */

static void write_end(const char *verdict, enum exit_code code, bool judged, const char *note)
{
    con_printf("# Totals: pass:%u fail:%u skip:%u weak:%u error:%u\n", totals.of[VERDICT_PASS],
               totals.of[VERDICT_FAIL], totals.of[VERDICT_SKIP], totals.of[VERDICT_WEAK],
               totals.of[VERDICT_ERROR]);
    if (note)
        con_printf("# note: %s\n", note);
    con_printf("# END verdict=%s code=0x%x\n", verdict, code);

    struct json *j = record_begin("end");
    json_string(j, "verdict", verdict);
    json_hex(j, "code", code);
    json_uint(j, "pass", totals.of[VERDICT_PASS]);
    json_uint(j, "skip", totals.of[VERDICT_SKIP]);
    json_uint(j, "weak", totals.of[VERDICT_WEAK]);
    json_uint(j, "fail", totals.of[VERDICT_FAIL]);
    json_uint(j, "error", totals.of[VERDICT_ERROR]);
    json_bool(j, "judged", judged);
    json_string(j, "note", note ? note : "");
    record_end();
}

/* A run that ends inside a test: its line, and what follows from the machine. */
static void write_broken_end(const char *verdict, enum exit_code code, const char *reason)
{
    const char *note;
    bool judged = machine_is_judged(&words, &note);

    if (current)
        con_printf("not ok %u - %s # %s %s\n", current, run.test->name, verdict, reason);
    write_end(verdict, code, judged, note);
}

static void on_hang(const char *stage, const char *silent)
{
    char reason[256];
    struct json *j = record_begin("hang");

    json_string(j, "stage", stage);
    json_string(j, "silent", silent);
    record_end();
    fmt_print(reason, sizeof reason, "in %s, silent: %s", stage, silent);
    write_broken_end("HANG", EXIT_HANG, reason);
}

static void on_panic(const char *text)
{
    struct json *j = record_begin("panic");

    json_string(j, "text", text);
    json_string(j, "stage", watchdog_stage_name());
    record_end();
    write_broken_end("PANIC", EXIT_PANIC, text);
}

/* Header and end of a run that has nothing between them. */
static enum exit_code bail(const char *why)
{
    con_printf("Bail out! %s\n", why);
    struct json *j = record_begin("bail");
    json_string(j, "why", why);
    record_end();
    totals.of[VERDICT_ERROR]++;
    write_end(verdict_name(VERDICT_ERROR), EXIT_ERROR, true, NULL);
    return EXIT_ERROR;
}

enum exit_code harness_bail(const char *why)
{
    words_defaults(&words);
    write_start();
    return bail(why);
}

/* ---- the tests ---- */

static void write_result(unsigned number, uint64_t ms)
{
    const struct test *test = run.test;
    bool ok = run.verdict <= VERDICT_SKIP;

    if (run.verdict == VERDICT_PASS)
        con_printf("ok %u - %s\n", number, test->name);
    else
        con_printf("%s %u - %s # %s %s\n", ok ? "ok" : "not ok", number, test->name,
                   verdict_name(run.verdict), run.reason);

    struct json *j = record_begin("test");
    json_uint(j, "n", number);
    json_string(j, "name", test->name);
    json_string(j, "claim", test->claim);
    json_string(j, "verdict", verdict_name(run.verdict));
    json_string(j, "reason", run.reason);
    json_uint(j, "ms", ms);
    json_object(j, "saw");
    for (unsigned i = 0; i < SEE_COUNT; i++) {
        if (run.saw[i])
            json_uint(j, exposure_name(i), run.saw[i]);
    }
    json_object_end(j);
    json_object(j, "must_see");
    for (unsigned i = 0; i < sizeof test->must_see / sizeof test->must_see[0]; i++) {
        if (test->must_see[i].least)
            json_uint(j, exposure_name(test->must_see[i].what), test->must_see[i].least);
    }
    json_object_end(j);
    record_end();
}

static void write_measurements(void)
{
    struct trust trust = machine_trust();

    if (run.data.used && !run.data.overflow) {
        struct json *j = record_begin("data");
        json_string(j, "test", run.test->name);
        json_raw(j, run.data.out, run.data.used);
        record_show();
        record_end();
    }
    for (unsigned i = 0; i < run.hist_count; i++)
        record_hist(run.test->name, run.hists[i].name, run.hists[i].hist, &trust);
}

static void run_body(const struct test *test)
{
    struct test_run *t = &run;

    if (smp_online() < test->cpus) {
        SKIP("needs %u cores, %u %s online", test->cpus, smp_online(),
             smp_online() == 1 ? "is" : "are");
        return;
    }
    watchdog_stage(test->name,
                   (unsigned)(plan_budget_ms(test, words.seconds) + words.hang * 1000));
    test->body(t);
    watchdog_stage("harness", 0);
    if (t->data.overflow)
        ERROR("the data does not fit in %zu bytes", sizeof data_buffer);
    verdict_check_exposure(t);
}

static void run_test(unsigned number, const struct test *test)
{
    uint64_t begin = rdtsc();

    run = (struct test_run){ .test = test };
    json_init(&run.data, data_buffer, sizeof data_buffer);
    current = number;
    run_body(test);
    current = 0;
    totals.of[run.verdict]++;
    write_result(number, time_ticks_to_ns(rdtsc() - begin) / 1000000);
    write_measurements();
}

enum exit_code harness_main(const struct words *w,
                            __attribute__((unused)) const struct boot_info *info)
{
    char error[WORDS_TEXT_MAX + 128];
    const char *note;

    words = *w;
    if (!words.seed)
        words.seed = new_seed();
    watchdog_set_report(on_hang);
    panic_set_record(on_panic);

    write_start();
    machine_record_cpu(&words);
    machine_record_time();
    if (words.cpus > smp_topology()->listed) {
        fmt_print(error, sizeof error, "cpus=%llu: this machine has %u usable cores",
                  (unsigned long long)words.cpus, smp_topology()->listed);
        return bail(error);
    }
    if (!plan_make(&plan, words.tests, words.seconds, error, sizeof error))
        return bail(error);
    if (!event_rings_attach())
        return bail("no memory for the event log");
    write_plan();
    for (unsigned i = 0; i < plan.count; i++)
        run_test(i + 1, plan.tests[i]);

    enum verdict verdict = verdict_of_run(&totals);
    bool judged = machine_is_judged(&words, &note);
    write_end(verdict_name(verdict), verdict_exit_code(verdict), judged, note);
    return verdict_exit_code(verdict);
}

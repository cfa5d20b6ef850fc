/* SPDX-License-Identifier: MIT */
#include "tests/harness/report.h"

#include <stdarg.h>

#include "boot/boot_info.h"
#include "kernel/console/console.h"
#include "kernel/lib/fmt.h"
#include "smp/watchdog.h"
#include "tests/harness/live.h"
#include "tests/harness/machine_record.h"
#include "tests/harness/record.h"
#include "tests/harness/replay.h"
#include "tests/harness/slice.h"
#include "tests/harness/summary.h"
#include "tests/harness/verdict.h"

extern const char crossmod_version[], crossmod_build[];

/* Written by the core that runs the plan; a hang or a panic reads them from any core. */
static const struct words *words;
static struct verdict_totals totals;
static enum verdict run_verdict; /* of the run as a whole, beside its tests */
static char run_reason[160];
static char end_note[256];
static const char *bail_reason; /* or NULL */
static const struct test *current_test;
static unsigned current_number; /* 0: no test runs */
static unsigned planned;

/* Nobody else tells a crash that took the machine with it. */
static void report_previous(void)
{
    const struct harness_world *world = slice_world();

    if (!world->previous_run)
        return;
    con_printf("# previous run %s did not finish: %s\n", world->previous_run,
               world->previous_state);

    struct json *j = record_begin("previous");
    json_string(j, "run", world->previous_run);
    json_string(j, "state", world->previous_state);
    record_end();
}

static void report_medium(void)
{
    char *note = slice_world()->medium_note;

    if (!note || !note[0])
        return;
    con_printf("# the medium does not take the report: %s\n", note);

    struct json *j = record_begin("medium");
    json_string(j, "note", note);
    record_end();
    note[0] = '\0';
}

/* Words of crossmod.cfg that nobody knows: the run goes on, and says so. */
static void write_ignored(const struct words *w)
{
    unsigned named = w->ignored_count;

    if (named == 0)
        return;
    if (named > WORDS_IGNORED_MAX)
        named = WORDS_IGNORED_MAX;
    struct json *j = record_begin("ignored");
    json_uint(j, "count", w->ignored_count);
    json_array(j, "words");
    for (unsigned i = 0; i < named; i++) {
        con_printf("# ignored: %s\n", w->ignored[i]);
        json_string(j, NULL, w->ignored[i]);
    }
    json_array_end(j);
    record_end();
    if (w->ignored_count > named)
        con_printf("# ignored: %u more unknown words\n", w->ignored_count - named);
}

void report_start(const struct words *w)
{
    char replay[2 * WORDS_TEXT_MAX];

    words = w;
    replay_words(w, replay, sizeof replay);
    con_printf("TAP version 14\n# crossmod %s build %s seed 0x%llx\n", crossmod_version,
               crossmod_build, (unsigned long long)w->seed);
    if (replay[0])
        con_printf("# replay: %s\n", replay);

    struct json *j = record_begin("start");
    json_string(j, "version", crossmod_version);
    json_string(j, "build", crossmod_build);
    json_hex(j, "seed", w->seed);
    json_string(j, "words", replay);
    record_end();
    write_ignored(w);
    report_previous();
    report_medium();
}

void report_plan(const struct plan *plan)
{
    planned = plan->count;
    con_printf("1..%u # budget %llu s\n", plan->count,
               (unsigned long long)(plan->budget_ms + 999) / 1000);

    struct json *j = record_begin("plan");
    json_uint(j, "count", plan->count);
    json_uint(j, "budget_ms", plan->budget_ms);
    json_array(j, "tests");
    for (unsigned i = 0; i < plan->count; i++)
        json_string(j, NULL, plan->tests[i]->name);
    json_array_end(j);
    record_end();
}

/* ---- between two slices ---- */

void report_slice_comes(unsigned number, const struct test *from)
{
    char state[96];

    fmt_print(state, sizeof state, "running: slice %u, from %s", number, from->name);
    summary_write(words, state, &totals, planned);
}

void report_slice(const struct slice_record *s)
{
    con_printf("# slice %u from %s, after %llu ms of tests and %llu ms of the firmware\n",
               s->number, s->from->name, (unsigned long long)s->tests_ms,
               (unsigned long long)s->firmware_ms);
    if (s->lost_cores)
        report_run_verdict(VERDICT_WEAK, "%u cores did not come back for slice %u", s->lost_cores,
                           s->number);

    struct json *j = record_begin("slice");
    json_uint(j, "n", s->number);
    json_string(j, "from", s->from->name);
    json_uint(j, "tests_ms", s->tests_ms);
    json_uint(j, "firmware_ms", s->firmware_ms);
    json_uint(j, "lost_cores", s->lost_cores);
    record_end();
    report_medium();
}

/* ---- one test ---- */

void report_test_begins(unsigned number, const struct test *test)
{
    current_test = test;
    current_number = number;
}

static void write_line(unsigned number, const struct test_run *run)
{
    const char *ok = run->verdict <= VERDICT_SKIP ? "ok" : "not ok";

    if (run->verdict == VERDICT_PASS)
        con_printf("ok %u - %s\n", number, run->test->name);
    else
        con_printf("%s %u - %s # %s %s\n", ok, number, run->test->name, verdict_name(run->verdict),
                   run->reason);
}

static void write_exposures(struct json *j, const struct test_run *run)
{
    const struct test *test = run->test;

    json_object(j, "saw");
    for (unsigned i = 0; i < SEE_COUNT; i++) {
        if (run->saw[i])
            json_uint(j, exposure_name(i), run->saw[i]);
    }
    json_object_end(j);
    json_object(j, "must_see");
    for (unsigned i = 0; i < sizeof test->must_see / sizeof test->must_see[0]; i++) {
        if (test->must_see[i].least)
            json_uint(j, exposure_name(test->must_see[i].what), test->must_see[i].least);
    }
    json_object_end(j);
}

static void write_record(unsigned number, const struct test_run *run, uint64_t ms)
{
    struct json *j = record_begin("test");

    json_uint(j, "n", number);
    json_string(j, "name", run->test->name);
    json_string(j, "claim", run->test->claim);
    json_string(j, "verdict", verdict_name(run->verdict));
    json_string(j, "reason", run->reason);
    json_uint(j, "ms", ms);
    write_exposures(j, run);
    record_end();
}

static void write_measurements(const struct test_run *run)
{
    struct trust trust = machine_trust();

    if (run->data.used && !run->data.overflow) {
        struct json *j = record_begin("data");
        json_string(j, "test", run->test->name);
        json_raw(j, run->data.out, run->data.used);
        record_show();
        record_end();
    }
    for (unsigned i = 0; i < run->hist_count; i++)
        record_hist(run->test->name, run->hists[i].name, run->hists[i].hist, &trust);
}

void report_test(unsigned number, const struct test_run *run, uint64_t ms)
{
    current_number = 0;
    totals.of[run->verdict]++;
    summary_add(run);
    write_line(number, run);
    write_record(number, run, ms);
    write_measurements(run);
}

/* ---- the end ---- */

void report_run_verdict(enum verdict v, const char *fmt, ...)
{
    va_list args;

    if (v <= run_verdict)
        return;
    run_verdict = v;
    va_start(args, fmt);
    fmt_vprint(run_reason, sizeof run_reason, fmt, args);
    va_end(args);
}

/* Why the run is worse than its tests, and what its verdict is worth on this machine. */
static void write_note(char *out, size_t size, const char *machine_note)
{
    fmt_print(out, size, "%s%s%s", run_reason, run_reason[0] && machine_note ? "; " : "",
              machine_note ? machine_note : "");
    if (out[0])
        con_printf("# note: %s\n", out);
}

static void write_end(const char *verdict, enum exit_code code)
{
    const char *machine_note = NULL;
    char state[2 * sizeof end_note];
    /* An error is the harness's own: the machine is not accused. */
    bool judged = code == EXIT_ERROR || machine_is_judged(words, &machine_note);

    con_printf("# Totals: pass:%u fail:%u skip:%u weak:%u error:%u\n", totals.of[VERDICT_PASS],
               totals.of[VERDICT_FAIL], totals.of[VERDICT_SKIP], totals.of[VERDICT_WEAK],
               totals.of[VERDICT_ERROR]);
    write_note(end_note, sizeof end_note, machine_note);
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
    json_string(j, "note", end_note);
    record_end();

    fmt_print(state, sizeof state, BOOT_SUMMARY_FINISHED ", verdict %s%s%s", verdict,
              end_note[0] ? ": " : "", end_note);
    summary_write(words, state, &totals, planned);
}

enum exit_code report_end(void)
{
    enum verdict verdict = verdict_of_run(&totals);

    if (run_verdict > verdict)
        verdict = run_verdict;
    write_end(verdict_name(verdict), verdict_exit_code(verdict));
    live_end(verdict_name(verdict), bail_reason ? bail_reason : end_note);
    return verdict_exit_code(verdict);
}

enum exit_code report_bail(const char *why)
{
    bail_reason = why;
    con_printf("Bail out! %s\n", why);
    struct json *j = record_begin("bail");
    json_string(j, "why", why);
    record_end();
    totals.of[VERDICT_ERROR]++;
    return report_end();
}

/* The line of the test that did not come back, if one was running; then the end. */
static void write_broken_end(const char *verdict, enum exit_code code, const char *reason)
{
    summary_add_line(verdict, current_number ? current_test->name : "harness", reason);
    if (current_number)
        con_printf("not ok %u - %s # %s %s\n", current_number, current_test->name, verdict, reason);
    write_end(verdict, code);
}

void report_hang(const char *stage, const char *silent_cores)
{
    char reason[256];

    record_break();
    struct json *j = record_begin("hang");
    json_string(j, "stage", stage);
    json_string(j, "silent", silent_cores);
    record_end();
    fmt_print(reason, sizeof reason, "in %s%s%s", stage, silent_cores[0] ? ", silent cores: " : "",
              silent_cores);
    write_broken_end("HANG", EXIT_HANG, reason);
}

void report_panic(const char *text)
{
    record_break();
    struct json *j = record_begin("panic");
    json_string(j, "text", text);
    json_string(j, "stage", watchdog_stage_name());
    record_end();
    write_broken_end("PANIC", EXIT_PANIC, text);
}

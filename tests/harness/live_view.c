/* SPDX-License-Identifier: MIT */
#include "tests/harness/live_view.h"

#include "kernel/console/keyboard.h"
#include "kernel/console/screen.h"
#include "kernel/lib/atomic.h"
#include "kernel/lib/fmt.h"
#include "kernel/lib/string.h"
#include "kernel/time/time.h"
#include "poke/machine.h"
#include "smp/smp.h"
#include "tests/harness/live_cores.h"

#define LINE_SIZE    (SCREEN_COLUMNS_MAX + 1)
#define CLAIM_LINES  2
#define PLAN_LEAST   8 /* rows for plan and findings; with fewer there is no plan */
#define PLAN_MOST    15
#define VERDICT_ROWS (SCREEN_BIG_ROWS + 2)

extern const char crossmod_version[], crossmod_build[];

static const enum screen_style verdict_styles[] = {
    [VERDICT_PASS] = STYLE_GOOD, [VERDICT_SKIP] = STYLE_DIM,  [VERDICT_WEAK] = STYLE_WARN,
    [VERDICT_FAIL] = STYLE_BAD,  [VERDICT_ERROR] = STYLE_BAD,
};

static void put_right(unsigned row, enum screen_style style, const char *text)
{
    unsigned length = (unsigned)strlen(text);

    if (length + 1 < screen_columns())
        screen_put(row, screen_columns() - length - 1, style, text);
}

/* At most `lines` rows; returns the next free one. */
static unsigned put_wrapped(unsigned row, unsigned column, enum screen_style style,
                            const char *text, unsigned lines)
{
    char line[LINE_SIZE];

    for (; text && lines > 0; lines--) {
        text = text_wrap(text, screen_columns() - column - 1, line);
        screen_put(row++, column, style, line);
    }
    return row;
}

/* A number behind its name; returns the column behind it. */
static unsigned put_count(unsigned row, unsigned column, enum screen_style style, const char *name,
                          uint64_t count)
{
    char text[32];

    screen_put(row, column, STYLE_DIM, name);
    column += (unsigned)strlen(name) + 1;
    text_grouped(count, text, sizeof text);
    screen_put(row, column, style, text);
    return column + (unsigned)strlen(text) + 3;
}

static uint64_t ms_since(uint64_t tsc)
{
    return time_ticks_to_ns(rdtsc() - tsc) / 1000000;
}

/* ---- the parts, from top to bottom; each returns the next free row ---- */

static unsigned put_title(const struct live_state *s)
{
    char text[LINE_SIZE];

    screen_fill(0, 0, screen_columns(), STYLE_TITLE, ' ');
    fmt_print(text, sizeof text, "Crossmod %s  build %s", crossmod_version, crossmod_build);
    screen_put(0, 1, STYLE_TITLE, text);
    if (s->words->seed) {
        fmt_print(text, sizeof text, "seed 0x%llx", (unsigned long long)s->words->seed);
        put_right(0, STYLE_TITLE, text);
    }
    screen_put(1, 1, STYLE_DIM, s->cpu);
    return 3;
}

static void put_bar(unsigned row, uint64_t percent)
{
    unsigned length = screen_columns() - 2;
    unsigned done = (unsigned)(length * percent / 100);

    screen_fill(row, 1, length, STYLE_ACCENT, BLOCK_LIGHT);
    screen_fill(row, 1, done, STYLE_ACCENT, BLOCK_FULL);
}

static unsigned put_test(unsigned row, const struct live_state *s)
{
    char text[LINE_SIZE];

    fmt_print(text, sizeof text, "Test %u of %u", s->number, s->plan ? s->plan->count : 0);
    if (s->test) {
        screen_put(row, 1, STYLE_ACCENT, text);
        screen_put(row, 3 + (unsigned)strlen(text), STYLE_STRONG, s->test->name);
        put_wrapped(row + 1, 1, STYLE_DIM, s->test->claim, CLAIM_LINES);
    }
    return row + 1 + CLAIM_LINES;
}

static unsigned put_progress(unsigned row, const struct live_state *s)
{
    struct live_time t = s->time;
    char so_far[16], left[16], text[LINE_SIZE];

    t.current = s->test ? ms_since(s->test_begin) : 0;
    live_duration(ms_since(s->begin), so_far, sizeof so_far);
    live_duration(live_time_left(&t), left, sizeof left);
    put_bar(row, s->percent);
    fmt_print(text, sizeof text, "%llu %%", (unsigned long long)s->percent);
    screen_put(row + 1, 1, STYLE_TEXT, text);
    fmt_print(text, sizeof text, "%s so far, about %s left", so_far, left);
    put_right(row + 1, STYLE_TEXT, text);
    return row + 3;
}

static unsigned put_length(unsigned row, const struct live_state *s)
{
    char length[16], text[LINE_SIZE];

    live_duration(ms_since(s->begin), length, sizeof length);
    if (s->plan) {
        fmt_print(text, sizeof text, "%u of %u tests, %s", s->number, s->plan->count, length);
        screen_put(row, 1, STYLE_TEXT, text);
    }
    return row + 2;
}

static unsigned put_counts(unsigned row, const struct live_state *s)
{
    static const char *const names[] = {
        [VERDICT_PASS] = "Passed", [VERDICT_SKIP] = "Skipped", [VERDICT_WEAK] = "Weak",
        [VERDICT_FAIL] = "Failed", [VERDICT_ERROR] = "Errors",
    };
    unsigned column = 1;

    for (unsigned v = 0; v <= VERDICT_ERROR; v++)
        column = put_count(row, column, s->verdicts[v] ? verdict_styles[v] : STYLE_TEXT, names[v],
                           s->verdicts[v]);
    row++;
    column = put_count(row, 1, STYLE_TEXT, "Executions", s->executions + s->now.executions);
    column = put_count(row, column, STYLE_TEXT, "Patches", s->patches + s->now.patches);
    put_count(row, column, STYLE_TEXT, "INT3 hits", live_int3_hits());
    return row + 1;
}

static unsigned put_latency(unsigned row, const struct live_state *s)
{
    char times[4][16], text[LINE_SIZE];

    if (!s->latency_of)
        return row + 1;
    for (unsigned i = 0; i < 4; i++)
        text_time(s->latency[i], times[i], sizeof times[i]);
    screen_put(row, 1, STYLE_DIM, "A patch took");
    fmt_print(text, sizeof text, "p50 %s   p99 %s   p99.9 %s   max %s", times[0], times[1],
              times[2], times[3]);
    screen_put(row, 14, STYLE_TEXT, text);
    fmt_print(text, sizeof text, "in %s%s%s", s->latency_of, s->doubt ? "; not trusted: " : "",
              s->doubt ? s->doubt : "");
    screen_put(row + 1, 14, STYLE_DIM, text);
    return row + 3;
}

/* Words of crossmod.cfg that nobody knows: who wrote them may look here and not into the report. */
static unsigned put_ignored(unsigned row, unsigned end, const struct words *w)
{
    char text[48];
    unsigned named = w->ignored_count < WORDS_IGNORED_MAX ? w->ignored_count : WORDS_IGNORED_MAX;

    for (unsigned i = 0; i < named && row < end; i++)
        row = put_wrapped(row, 1, STYLE_WARN, w->ignored[i], 1);
    if (w->ignored_count > named && row < end) {
        fmt_print(text, sizeof text, "%u more unknown words", w->ignored_count - named);
        screen_put(row++, 1, STYLE_WARN, text);
    }
    return row;
}

/* As many as have room above row `end`. */
static void put_findings(unsigned row, unsigned end, const struct live_state *s)
{
    for (unsigned i = 0; i < s->finding_count && row < end; i++) {
        char text[48];
        unsigned kept = i < FINDINGS_MAX, lines = end - row;

        if (!kept || (lines == 1 && i + 1 < s->finding_count)) {
            fmt_print(text, sizeof text, "and %u more, in the report", s->finding_count - i);
            screen_put(row, 1, STYLE_DIM, text);
            return;
        }
        const struct live_finding *f = &s->findings[i];
        screen_put(row, 1, verdict_styles[f->verdict], verdict_name(f->verdict));
        row = put_wrapped(row, 7, STYLE_TEXT, f->text, lines > 3 ? 3 : lines - (lines > 1));
    }
}

/* The plan around the current test: what has ended, it, what comes. */
static void put_plan(unsigned row, unsigned end, const struct live_state *s)
{
    unsigned lines = end - row, current = s->number - 1;
    unsigned first = current > lines / 2 ? current - lines / 2 : 0;

    if (first + lines > s->plan->count)
        first = s->plan->count > lines ? s->plan->count - lines : 0;
    for (unsigned i = first; i < s->plan->count && row < end; i++, row++) {
        const char *name = s->plan->tests[i]->name;

        if (i < current) {
            screen_put(row, 1, verdict_styles[s->verdict_of[i]], verdict_name(s->verdict_of[i]));
            screen_put(row, 7, STYLE_DIM, name);
        } else {
            screen_put(row, 7, i == current ? STYLE_STRONG : STYLE_DIM, name);
        }
        if (i == current)
            screen_put(row, 1, STYLE_ACCENT, "runs");
    }
}

static void put_keys(const struct live_state *s)
{
    unsigned row = screen_rows() - 1;

    if (!keyboard_is_present())
        return;
    if (s->paused)
        screen_put(row, 1, STYLE_WARN,
                   s->test ? "A pause comes after this test." : "Paused: p goes on, q finishes.");
    else if (s->finish)
        screen_put(row, 1, STYLE_WARN, "Finishes after this test.");
    else
        screen_put(row, 1, STYLE_DIM, "Keys: p pause, s skip a test, q finish now with a report");
}

static enum screen_style style_of_end(const char *verdict)
{
    for (enum verdict v = VERDICT_PASS; v <= VERDICT_ERROR; v++) {
        if (strcmp(verdict, verdict_name(v)) == 0)
            return verdict_styles[v];
    }
    return STYLE_BAD;
}

/* Returns the row that it begins at: below the evidence, above the loader's. */
static unsigned put_verdict(unsigned row, const struct live_state *s)
{
    unsigned lowest = screen_rows() - SCREEN_LOADER_ROWS - VERDICT_ROWS;

    if (screen_rows() < SCREEN_LOADER_ROWS + VERDICT_ROWS || row > lowest)
        lowest = row;
    enum screen_style style = style_of_end(s->verdict);
    screen_put_big(lowest, 1, style, s->verdict);
    put_wrapped(lowest + SCREEN_BIG_ROWS, 1, STYLE_TEXT, s->note, VERDICT_ROWS - SCREEN_BIG_ROWS);
    return lowest;
}

void live_view(const struct live_state *s)
{
    unsigned end = screen_rows() - 1;

    screen_clear();
    unsigned row = put_title(s);
    if (s->verdict) {
        row = put_length(row, s);
    } else {
        row = put_test(row, s);
        row = put_progress(row, s);
    }
    row = live_cores(row, s->test != NULL) + 1;
    row = put_counts(row, s);
    row = put_latency(row, s);
    if (s->verdict) {
        end = put_verdict(row, s);
    } else {
        put_keys(s);
        end--; /* a blank row */
        if (s->test && row + PLAN_LEAST <= end) {
            unsigned lines = (end - row) / 2 < PLAN_MOST ? (end - row) / 2 : PLAN_MOST;

            put_plan(end - lines, end, s);
            end -= lines + 1;
        }
    }
    put_findings(put_ignored(row, end, s->words), end, s);
}

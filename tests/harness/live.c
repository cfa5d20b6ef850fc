/* SPDX-License-Identifier: MIT */
#include "tests/harness/live.h"

#include "kernel/console/keyboard.h"
#include "kernel/console/screen.h"
#include "kernel/lib/fmt.h"
#include "kernel/lib/string.h"
#include "kernel/time/time.h"
#include "smp/watchdog.h"
#include "tests/harness/live_view.h"
#include "tests/harness/machine_record.h"
#include "tests/harness/record.h"

#define DRAW_NS  100000000ull
#define PAUSE_US 20000
#define WAIT_MS  60000 /* as the harness has for its own work */
#define LONG_MS  500   /* a test that takes so long is named on the screen in any case */

static struct live_state state;
static uint64_t last_draw; /* TSC */

/* What the screen shows, for those who compare it with a picture. Between two tests. */
static void record_screen(void)
{
    if (!screen_is_on() || state.words->screen != SCREEN_RECORD)
        return;
    const struct screen_geometry *g = screen_layout();
    char text[SCREEN_COLUMNS_MAX + 1];

    struct json *j = record_begin("screen");
    json_uint(j, "columns", g->columns);
    json_uint(j, "rows", g->rows);
    json_uint(j, "font_height", g->font->height);
    json_uint(j, "scale", g->scale);
    json_uint(j, "left", g->left);
    json_uint(j, "top", g->top);
    json_bool(j, "end", state.verdict);
    json_array(j, "text");
    for (unsigned row = 0; row < g->rows; row++) {
        screen_row_text(row, text);
        json_string(j, NULL, text);
    }
    json_array_end(j);
    record_end();
}

static void update_percent(void)
{
    uint64_t passed = time_ticks_to_ns(rdtsc() - state.begin) / 1000000;
    struct live_time t = state.time;

    t.current = state.test ? time_ticks_to_ns(rdtsc() - state.test_begin) / 1000000 : 0;
    uint64_t percent = passed * 100 / (passed + live_time_left(&t) + 1);
    if (percent > state.percent)
        state.percent = percent;
}

static void draw(void)
{
    last_draw = rdtsc();
    if (!screen_is_on())
        return;
    if (state.plan)
        update_percent();
    live_view(&state);
    screen_draw();
}

bool live_is_due(void)
{
    return rdtsc() - last_draw >= time_ns_to_ticks(DRAW_NS);
}

/* ---- the run ---- */

void live_start(const struct words *w)
{
    state = (struct live_state){ .words = w, .begin = rdtsc() };
    machine_describe_cpu(state.cpu, sizeof state.cpu);
    state.doubt = machine_trust().why_not[0];
    draw();
}

void live_plan(const struct plan *p)
{
    state.plan = p;
    state.begin = rdtsc();
    for (unsigned i = 0; i < p->count; i++) {
        state.time.guessed_left += p->tests[i]->budget_ms;
        state.time.chosen_left += plan_duration_ms(p->tests[i], state.words);
    }
}

/* ---- keys ---- */

static void look_for_keys(void)
{
    switch (keyboard_poll()) {
    case 'p':
        state.paused = !state.paused;
        break;
    case 's':
        state.skip = true;
        break;
    case 'q':
        state.finish = true;
        state.paused = false;
        break;
    default:
        break;
    }
}

static void pause(void)
{
    if (!state.paused)
        return;
    watchdog_stage("paused", 0);
    draw();
    record_screen();
    while (state.paused) {
        time_delay_us(PAUSE_US);
        look_for_keys();
    }
    watchdog_stage("harness", WAIT_MS);
}

bool live_skip(void)
{
    state.obeyed |= state.skip || state.finish;
    return state.obeyed;
}

bool live_was_skipped(void)
{
    return state.obeyed;
}

bool live_finish(void)
{
    return state.finish;
}

/* ---- tests ---- */

void live_test_begins(unsigned number, const struct test *test)
{
    look_for_keys();
    pause();
    state.number = number;
    state.test = test;
    state.test_begin = rdtsc();
    state.time.current_max = plan_budget_ms(test, state.words);
    if (state.time.current_max < LONG_MS && !live_is_due())
        return;
    draw();
    record_screen();
}

static void keep_finding(const struct test_run *run)
{
    if (run->verdict < VERDICT_WEAK)
        return;
    if (state.finding_count < FINDINGS_MAX) {
        struct live_finding *f = &state.findings[state.finding_count];

        f->verdict = run->verdict;
        fmt_print(f->text, sizeof f->text, "%s: %s", run->test->name, run->reason);
    }
    state.finding_count++;
}

static void keep_latency(const char *test, const struct hist *h)
{
    if (!h->count)
        return;
    state.latency[0] = hist_percentile(h, 50, 100);
    state.latency[1] = hist_percentile(h, 99, 100);
    state.latency[2] = hist_percentile(h, 999, 1000);
    state.latency[3] = h->max;
    state.latency_of = test;
}

void live_test_ends(const struct test_run *run, uint64_t ms)
{
    uint64_t chosen = plan_duration_ms(run->test, state.words);

    state.time.guessed_done += run->test->budget_ms;
    state.time.guessed_took += ms > chosen ? ms - chosen : 0;
    state.time.guessed_left -= run->test->budget_ms;
    state.time.chosen_left -= chosen;
    state.time.current_max = 0;
    state.verdicts[run->verdict]++;
    state.verdict_of[state.number - 1] = (uint8_t)run->verdict;
    state.executions += run->saw[SEE_EXECUTIONS];
    state.patches += run->saw[SEE_PATCHES];
    for (unsigned i = 0; i < run->hist_count; i++) {
        if (strcmp(run->hists[i].name, "total") == 0)
            keep_latency(run->test->name, run->hists[i].hist);
    }
    keep_finding(run);
    state.now = (struct live_counts){ 0 };
    state.test = NULL;
    if (state.obeyed)
        state.skip = state.obeyed = false;
}

void live_look(void)
{
    if (!live_is_due())
        return;
    look_for_keys();
    draw();
}

void live_show(const struct live_counts *counts)
{
    state.now = *counts;
    if (counts->latency)
        keep_latency(state.test->name, counts->latency);
    look_for_keys();
    draw();
}

void live_end(const char *verdict, const char *note)
{
    state.verdict = verdict;
    state.note = note;
    state.test = NULL;
    draw();
    record_screen();
}

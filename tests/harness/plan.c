/* SPDX-License-Identifier: MIT */
#include "tests/harness/plan.h"

#include "kernel/lib/fmt.h"
#include "kernel/lib/glob.h"
#include "kernel/lib/string.h"

/* Groups whose tests run only when their pattern names the group. */
static const char *const named_only[] = { "selftest/", "dangerous/" };

/* The linker set, sorted by name (linker.ld). */
extern const struct test tests_start[], tests_end[];

bool plan_gives_seconds(const struct words *w)
{
    return w->given & 1ull << WORD_ID_seconds && w->given & 1ull << WORD_ID_tests;
}

uint64_t plan_duration_ms(const struct test *test, const struct words *w)
{
    if (test->takes_seconds || (test->default_ms && plan_gives_seconds(w)))
        return w->seconds * 1000;
    return test->default_ms;
}

uint64_t plan_budget_ms(const struct test *test, const struct words *w)
{
    return test->budget_ms + plan_duration_ms(test, w);
}

/*
 * Planted faults, and what may hang a machine, must not run because someone asked for everything.
 */
static bool pattern_selects(const char *pattern, const struct test *test)
{
    for (unsigned i = 0; i < sizeof named_only / sizeof named_only[0]; i++) {
        size_t len = strlen(named_only[i]);

        if (strncmp(test->name, named_only[i], len) == 0)
            return strncmp(pattern, named_only[i], len) == 0 && glob_match(pattern, test->name);
    }
    return strcmp(pattern, "default") == 0 || glob_match(pattern, test->name);
}

static bool select_by(const char *pattern, bool *selected)
{
    bool any = false;

    for (size_t i = 0; &tests_start[i] < tests_end; i++) {
        if (pattern_selects(pattern, &tests_start[i]))
            any = selected[i] = true;
    }
    return any;
}

/*
 * Copy the pattern that begins at `list`; returns where the next one begins, or NULL. Names are
 * those of C; who types them likes '-' better.
 */
static const char *next_pattern(const char *list, char *out, size_t size)
{
    size_t n = 0;

    for (; *list && *list != ','; list++) {
        if (n + 1 < size)
            out[n++] = *list == '-' ? '_' : *list;
    }
    out[n] = '\0';
    return *list ? list + 1 : NULL;
}

bool plan_make(struct plan *plan, const struct words *w, char *error, size_t size)
{
    static bool selected[PLAN_MAX];
    size_t linked = (size_t)(tests_end - tests_start);
    char pattern[WORDS_TEXT_MAX];

    if (linked > PLAN_MAX) {
        fmt_print(error, size, "%zu tests are linked, the plan holds %u", linked, PLAN_MAX);
        return false;
    }
    memset(selected, 0, sizeof selected);
    for (const char *at = w->tests; at;) {
        at = next_pattern(at, pattern, sizeof pattern);
        if (!select_by(pattern, selected)) {
            fmt_print(error, size, "tests=%s: no test matches '%s'", w->tests, pattern);
            return false;
        }
    }
    plan->count = 0;
    plan->budget_ms = 0;
    for (size_t i = 0; i < linked; i++) {
        if (!selected[i])
            continue;
        plan->tests[plan->count++] = &tests_start[i];
        plan->budget_ms += plan_budget_ms(&tests_start[i], w);
    }
    return true;
}

/* SPDX-License-Identifier: MIT */
#include "tests/harness/summary.h"

#include <stdarg.h>

#include "boot/boot_info.h"
#include "kernel/lib/fmt.h"
#include "kernel/lib/string.h"
#include "smp/smp.h"
#include "tests/harness/replay.h"
#include "tests/harness/slice.h"

/* The first KiB may go into a variable of the firmware: what matters most comes first. */
#define LINES_BYTES   768
#define SUMMARY_BYTES (LINES_BYTES + 2 * WORDS_TEXT_MAX + 1024)

extern const char crossmod_version[], crossmod_build[];

/* Complete lines on tests that did not pass, and how many more there would be. */
static char lines[LINES_BYTES];
static size_t lines_used;
static unsigned left_out;

static char text[SUMMARY_BYTES];
static size_t used;

void summary_add_line(const char *verdict, const char *name, const char *reason)
{
    char line[192];
    size_t bytes = (size_t)fmt_print(line, sizeof line, "  %s %s: %s", verdict, name, reason);

    if (bytes >= sizeof line)
        bytes = sizeof line - 1;
    if (left_out || bytes + 1 > sizeof lines - lines_used) {
        left_out++;
        return;
    }
    memcpy(lines + lines_used, line, bytes);
    lines[lines_used + bytes] = '\n';
    lines_used += bytes + 1;
}

void summary_add(const struct test_run *run)
{
    if (run->verdict > VERDICT_SKIP)
        summary_add_line(verdict_name(run->verdict), run->test->name, run->reason);
}

__attribute__((format(printf, 1, 2))) static void add(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    used += (size_t)fmt_vprint(text + used, sizeof text - used, fmt, args);
    va_end(args);
    if (used >= sizeof text)
        used = sizeof text - 1;
}

static void add_counts(const struct verdict_totals *totals, unsigned planned)
{
    unsigned done = 0;

    for (enum verdict v = VERDICT_PASS; v <= VERDICT_ERROR; v++)
        done += totals->of[v];
    add("tests: %u of %u, pass %u skip %u weak %u fail %u error %u\n", done, planned,
        totals->of[VERDICT_PASS], totals->of[VERDICT_SKIP], totals->of[VERDICT_WEAK],
        totals->of[VERDICT_FAIL], totals->of[VERDICT_ERROR]);
}

static void add_advice(const char *state)
{
    if (strncmp(state, BOOT_SUMMARY_FINISHED, strlen(BOOT_SUMMARY_FINISHED)) != 0)
        add("If this is the newest run and the machine no longer runs, it ended in that slice, or\n"
            "in the firmware, which wrote its report.\n"
            "What the slices before it found is in report.tap.\n");
    add("Next: copy this directory; report.tap is for reading, report.jsonl for programs.\n"
        "./run.sh contribute DIRECTORY makes a result of it; docs/hardware.md has the rest.\n");
}

void summary_write(const struct words *w, const char *state, const struct verdict_totals *totals,
                   unsigned planned)
{
    char replay[2 * WORDS_TEXT_MAX];

    if (!slice_world()->set_summary)
        return;
    used = 0;
    add(BOOT_SUMMARY_STATE "%s\n", state);
    add_counts(totals, planned);
    add("crossmod %s build %s seed 0x%llx, %u cores\n", crossmod_version, crossmod_build,
        (unsigned long long)w->seed, smp_online());
    if (lines_used)
        add("not passed:\n%.*s", (int)lines_used, lines);
    if (left_out)
        add("  and %u more, in report.tap\n", left_out);
    add_advice(state);
    replay_words(w, replay, sizeof replay);
    if (replay[0])
        add("words: %s\n", replay);
    slice_world()->set_summary(text, used);
}

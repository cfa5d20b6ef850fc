/* SPDX-License-Identifier: MIT */
/*
 * The process as a list: what it may do, its cores, its signals, then the same harness as the
 * kernel's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosted/hosted.h"
#include "kernel/exit.h"
#include "kernel/lib/words.h"
#include "poke/poke.h"
#include "smp/smp.h"
#include "tests/harness/harness.h"

#define PROCESSORS_MAX 4096

static struct words words;
static char error[512];

/* Each argument is a text of its own: a '#' in one comments out nothing of the next. */
static bool read_words(int argc, char **argv)
{
    words_defaults(&words);
    for (int i = 1; i < argc; i++)
        if (!words_parse(&words, "command line", argv[i], strlen(argv[i]), error, sizeof error))
            return false;
    return true;
}

/* Words that would be obeyed by something that a process does not have. */
static bool can_obey_words(void)
{
    const struct {
        bool given;
        const char *name, *why;
    } foreign[] = {
        { words.sync != SYNC_AUTO, "sync", "membarrier(2) decides how a processor serialises" },
        { words.pcid != 0, "pcid", "it writes text without a temporary mapping" },
        { words.accel != ACCEL_AUTO, "accel", "it runs on the machine's own processors" },
        { words.given >> WORD_ID_slice & 1, "slice", "it writes the report as it goes" },
        { words.nvram, "nvram", "it has no firmware" },
        { words.vcpus != 0, "vcpus", "it runs on the machine's own processors" },
        { words.mem != 0, "mem", "it runs in the machine's own memory" },
        { words.icount != 0, "icount", "it runs on the machine's own processors" },
    };

    for (unsigned i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        if (!foreign[i].given)
            continue;
        snprintf(error, sizeof error, "%s=: a process cannot obey it: %s", foreign[i].name,
                 foreign[i].why);
        return false;
    }
    return true;
}

static void print_help(void)
{
    static char text[16384];

    words_help(text, sizeof text);
    printf(
        "crossmod [word=value ...]: rewrite code that other threads execute, on the processors "
        "of this machine.\n\n"
        "The report goes to standard output and to crossmod.tap and crossmod.jsonl in this "
        "directory.\nExit status: 0 passed, 1 failed, 3 error, 4 weak evidence, 5 panic, 6 hang, "
        "7 ended by a signal, 77 all skipped.\n\n%s",
        text);
}

/* Everything that can refuse. */
static bool set_up(void)
{
    static int processors[PROCESSORS_MAX];
    unsigned count = limits_processors(processors, PROCESSORS_MAX);

    if (count == 0) {
        snprintf(error, sizeof error, "sched_getaffinity(2) names no processor");
        return false;
    }
    if (words.cpus > count) {
        snprintf(error, sizeof error, "cpus=%llu: this process may run on %u processors",
                 (unsigned long long)words.cpus, count);
        return false;
    }
    if (words.cpus)
        count = (unsigned)words.cpus;
    limits_look(count, words.cpus != 0);
    clock_init();
    signals_init();
    interrupts_init();
    stop_init();
    return limits_membarrier(error, sizeof error) && text_init(error, sizeof error) &&
           cores_start(processors, count, error, sizeof error) &&
           watchdog_start(error, sizeof error);
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc > 1 && (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0)) {
        print_help();
        return 0;
    }
    bool understood = read_words(argc, argv) && can_obey_words();
    console_open_files();
    ends_init();
    if (!understood || !set_up())
        return hosted_exit_status(harness_bail(error));
    return hosted_exit_status(harness_main(&words));
}

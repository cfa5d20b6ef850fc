/* SPDX-License-Identifier: MIT */
/* Ends from outside: who stops the run finds in its report that it was stopped. */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "hosted/hosted.h"
#include "kernel/console/console.h"
#include "kernel/lib/atomic.h"

#define STATUS_CUT 7 /* run.sh's */

static const int asked[] = { SIGINT, SIGTERM, SIGHUP };

/*
 * On any thread, which may be about to write a line itself: a new one is begun. No end marker
 * follows, so nobody takes the report for a finished one.
 */
static void on_end(int signal)
{
    static uint32_t ending;

    if (exchange(&ending, 1))
        return;
    con_printf("\n# CUT by SIG%s\n", sigabbrev_np(signal));
    json_out("\n", 1);
    console_say("crossmod: ended by SIG%s\n", sigabbrev_np(signal));
    _exit(STATUS_CUT);
}

void ends_init(void)
{
    struct sigaction action = { .sa_handler = on_end, .sa_flags = SA_ONSTACK | SA_RESTART };

    for (unsigned i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        struct sigaction before;

        sigaction(asked[i], &action, &before);
        if (before.sa_handler == SIG_IGN) /* nohup */
            sigaction(asked[i], &before, NULL);
    }
    signal(SIGPIPE, SIG_IGN); /* write(2) says so too: console.c */
    signal(SIGXFSZ, SIG_IGN);
}

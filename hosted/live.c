/* SPDX-License-Identifier: MIT */
/* The live view of a process: none. It has a terminal, and a user who can end it. */
#include "tests/harness/live.h"

void live_start(const struct words *w)
{
    (void)w;
}

void live_plan(const struct plan *plan)
{
    (void)plan;
}

void live_test_begins(unsigned number, const struct test *test)
{
    (void)number;
    (void)test;
}

void live_test_ends(const struct test_run *run, uint64_t ms)
{
    (void)run;
    (void)ms;
}

void live_end(const char *verdict, const char *note)
{
    (void)verdict;
    (void)note;
}

bool live_is_due(void)
{
    return false;
}

void live_look(void)
{
}

void live_show(const struct live_counts *counts)
{
    (void)counts;
}

bool live_skip(void)
{
    return false;
}

bool live_was_skipped(void)
{
    return false;
}

bool live_finish(void)
{
    return false;
}

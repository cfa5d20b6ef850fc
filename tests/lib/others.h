/* SPDX-License-Identifier: MIT */
/* Work for the other cores in a test: all begin together with a test's loop, all end with it. */
#ifndef TESTS_LIB_OTHERS_H
#define TESTS_LIB_OTHERS_H

#include "smp/smp.h"
#include "tests/harness/test.h"

/*
 * Let every online core above `after` (0: all but the boot core) run fn(arg) in thread context; fn
 * returns soon after others_go_on() has become false. ERROR if a core cannot be started. Returns
 * how many run. Boot core, thread context; one such group at a time.
 */
unsigned others_start(struct test_run *t, unsigned after, smp_work fn, void *arg);

/*
 * The same with nothing to do: from the return to others_stop() each of them is in thread context,
 * so that every core sync asks it. Waiting for work it would be quiescent.
 */
void others_keep_busy(struct test_run *t);

/* Ask for the end, and wait for it; what the cores have stored is visible afterwards. */
void others_stop(void);

/* Shall they go on? Any core, any context. */
bool others_go_on(void);

#endif

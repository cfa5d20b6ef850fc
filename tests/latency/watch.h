/* SPDX-License-Identifier: MIT */
/*
 * Watchers: all other cores execute one site over and over, and each notes when it executed the old
 * image last and the new one first.
 *
 *     watchers_start(t);
 *     for each patch:
 *         watch_begin(site, from, to);
 *         ...                              the patch
 *         watch_end();
 *         ... watch_of(core) ...
 *     watchers_stop();
 *
 * Boot core, thread context.
 */
#ifndef TESTS_LATENCY_WATCH_H
#define TESTS_LATENCY_WATCH_H

#include "tests/harness/test.h"
#include "tests/lib/site.h"

/* One core's view of one patch. Times by the boot core's TSC. */
struct watch {
    uint64_t last_old;  /* begin of the last execution of the old image */
    uint64_t first_new; /* end of the first execution of the new image; 0: there was none */
    uint32_t returns;   /* executions of the old image after one of the new */
    uint32_t wrong;     /* executions of neither */
    uint32_t hits;      /* INT3s that it met; */
    uint64_t hit_ticks; /* the executions that met one took so long together */
    bool preempted;     /* it lost its processor meanwhile: the times are not the patch's */
};

/* False: no memory, or a core could not be started (ERROR). */
bool watchers_start(struct test_run *t);
void watchers_stop(void);
/* How many cores watch, since watchers_start(). */
unsigned watchers(void);
/* Executions of all of them since watchers_start(). Exact after watchers_stop(). */
uint64_t watchers_executions(void);

/*
 * Let every watcher execute `s`, whose text holds the image of signature `from`, and is about to
 * get that of `to`. False: one did not answer within a second.
 */
bool watch_begin(const struct site *s, uint32_t from, uint32_t to);

/*
 * Let every watcher execute the site once more, so that one that still runs the old image is seen,
 * and answer. False as above.
 */
bool watch_end(void);

/* What online core `core`, not the boot core, saw between the two. Until the next watch_begin(). */
const struct watch *watch_of(unsigned core);

#endif

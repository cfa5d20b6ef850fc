/* SPDX-License-Identifier: MIT */
/*
 * Ends a hang with words: the stage, the cores that are silent, and a backtrace of every core, then EXIT_HANG.
 *
 * Every core's timer interrupt asks whether the deadline has passed; the first one that finds so takes over, so that
 * one core with interrupts off, the boot core included, cannot hide a hang. It then sends NMIs and collects what each
 * core was doing; a core that does not answer even that is named as dead.
 */
#ifndef SMP_WATCHDOG_H
#define SMP_WATCHDOG_H

#include <stdint.h>

/* From now on the stage is `stage` (a constant or long-lived string) and may take `ms` milliseconds; 0: no limit. */
void watchdog_stage(const char *stage, unsigned ms);
/* The current stage. Any context. */
const char *watchdog_stage_name(void);

/* Called by the timer interrupt on every core. */
void watchdog_tick(void);

/* Set up the default 10 ms tick on this core. */
void watchdog_start_core(void);

/* Called instead of printing a TAP line of its own: records the hang in the report before the exit. */
typedef void (*watchdog_report)(const char *stage, const char *silent_cores);
void watchdog_set_report(watchdog_report fn);

#endif

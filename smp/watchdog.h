/* SPDX-License-Identifier: MIT */
/*
 * Ends a hang with words: the stage, the cores that are silent, and a backtrace of every core, then
 * EXIT_HANG.
 *
 * Every core's timer interrupt asks whether the deadline has passed; the first one that finds so
 * takes over, so that one core with interrupts off, the boot core included, cannot hide a hang. It
 * then sends NMIs and collects what each core was doing; a core that does not answer even that is
 * named as dead.
 */
#ifndef SMP_WATCHDOG_H
#define SMP_WATCHDOG_H

#include <stdint.h>

struct trap_frame;

/*
 * From now on the stage is `stage` (a constant or long-lived string) and may take `ms`
 * milliseconds; 0: no limit. Boot core, any context but NMI.
 */
void watchdog_stage(const char *stage, unsigned ms);
/* The current stage. Any context. */
const char *watchdog_stage_name(void);

/* Called by the timer interrupt on every core, with the frame that it interrupted. */
void watchdog_tick(const struct trap_frame *frame);

/* Set up the default tick on this core: 10 ms, longer with more than ten cores. */
void watchdog_start_core(void);

/*
 * Called after the hang is printed and before the exit, to end the report: `silent_cores` is a list
 * of core numbers with commas, "" if all cores answered. Interrupt context, all other cores
 * stopped.
 */
typedef void (*watchdog_report)(const char *stage, const char *silent_cores);
void watchdog_set_report(watchdog_report fn);

#endif

/* SPDX-License-Identifier: MIT */
/* The rings of the event log (poke/event_log.h): without them the engine runs, unchecked. */
#ifndef TESTS_LIB_EVENT_RINGS_H
#define TESTS_LIB_EVENT_RINGS_H

#include <stdbool.h>

/*
 * Give every core its ring: large ones to this core and to smp_next_online(this core), which may
 * patch. Once, before the engine is used; boot core, thread context. False if memory is short.
 */
bool event_rings_attach(void);

#endif

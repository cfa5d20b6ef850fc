/* SPDX-License-Identifier: MIT */
/* What the other cores do while this one is measured. One set of readers at a time. Boot core. */
#ifndef TESTS_LATENCY_READERS_H
#define TESTS_LATENCY_READERS_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/harness/test.h"
#include "tests/latency/ground.h"

enum readers {
    READERS_HALTED,      /* they wait for work, in HLT (in a process: asleep) */
    READERS_LOOPING,     /* they call the sites in turn, again and again */
    READERS_INTERRUPTED, /* the same, and a timer interrupt on each of them does so too */
    READERS_KINDS
};
const char *readers_name(enum readers kind);

/*
 * Let every other online core call the first `n` sites of a layout. When it returns true each of
 * them has done so once. ERROR and false if one could not be started. After measure_init().
 */
bool readers_start(struct test_run *t, enum readers kind, enum layout layout, unsigned n);
/* End them all; their timers are as before. */
void readers_stop(void);

/* Has each reader executed a site since the last mark? True if none was to, or they take turns. */
void readers_mark(void);
bool readers_all_ran(void);

/* Executions of all readers since readers_start(): exact after readers_stop(). */
struct executions {
    uint64_t thread, timer;
};
struct executions readers_executions(void);

/* Microseconds between two timer interrupts of a reader of READERS_INTERRUPTED. */
unsigned readers_timer_us(void);

#endif

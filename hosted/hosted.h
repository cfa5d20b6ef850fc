/* SPDX-License-Identifier: MIT */
/*
 * The machine as a Linux process: what its files share. Cores are threads, each pinned to a
 * processor; traps and interrupts are signals; a core sync is membarrier(2).
 *
 * The headers of the machine that tests/ know (smp/smp.h, kernel/mm/mm.h, kernel/trap/trap.h,
 * kernel/time/time.h, kernel/console/console.h, poke/machine.h) are implemented here a second time,
 * as far as a process can. Files of the kernel that serve both are linked as they are (hosted.mk).
 */
#ifndef HOSTED_HOSTED_H
#define HOSTED_HOSTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "kernel/exit.h"
#include "smp/percpu.h"

/* One core: the block that tests see, and what the process needs for it. */
struct hosted_core {
    struct percpu cpu; /* must be first: GS base points here */
    int processor;     /* Linux's number */
    pid_t tid;         /* release by its thread, once it runs */

    bool irq_off; /* this thread and its own signal handlers; a sync waits until it is clear */
    uint32_t ring_locked; /* ring_lock() */
    uint32_t woken;       /* a wake-up that idle_wait() has not taken yet: it clears, others set */

    /* This thread and its own signal handlers only. */
    uint64_t cr2;
    /* The INT3 that it last stayed for, after how many batches, and how often: signals.c. */
    const uint8_t *stayed_at;
    uint64_t stayed_in;
    uint32_t stays;
    uint32_t irq_pending; /* bits: signals that came while it was on */

    timer_t timer;
    bool has_timer;
    void *altstack;
};

struct hosted_core *hosted_core(unsigned core);

/* ---- limits.c: what this process may do; each false with one sentence in `error` ---- */

/* The kernel's core sync, and registration for it. */
bool limits_membarrier(char *error, size_t size);
/* How many processors this process may run on, and which: at most `max` numbers into `out`. */
unsigned limits_processors(int *out, unsigned max);
/*
 * Look for what degrades a run but does not end it; once. `chosen`: the user asked for so few
 * processors.
 */
void limits_look(unsigned processors, bool chosen);
/* Sentence about it for the report, or NULL. */
const char *limits_note(void);
/* Why times measured here mean little, or NULL. */
const char *limits_doubt(void);

/* ---- cores.c ---- */

/*
 * Start one thread per processor of `processors`; the calling thread is core 0. False if a thread
 * cannot be started or pinned.
 */
bool cores_start(const int *processors, unsigned count, char *error, size_t size);
/* End this core's idle_wait(), or its next one. Any thread, any context. */
void wake_core(struct hosted_core *core);

/* ---- sync.c ---- */

/*
 * Around events that go into a core's ring while a sync may be under way: its own, and what others
 * log for it. A spin lock; this core's thread with interrupts off, or another core's.
 */
void ring_lock(struct hosted_core *core);
void ring_unlock(struct hosted_core *core);

/* ---- text.c ---- */

/* Reserve and map patchable text. */
bool text_init(char *error, size_t size);

/* ---- signals.c, interrupts.c ---- */

/* Handlers of all signals; once. */
void signals_init(void);
/* This thread's part: signal stack, GS base. On the thread itself. */
void signals_enter_core(struct hosted_core *core);
void interrupts_init(void);

/* ---- time, console ---- */

void clock_init(void);
/* Where the two streams go beside standard output; says so if a file cannot be made. */
void console_open_files(void);
/* One line to standard error, cut at 1 KiB. Any context, signal handlers too. */
__attribute__((format(printf, 1, 2))) void console_say(const char *fmt, ...);
/* Has at least one of the two TAP streams everything that was written? */
bool console_is_whole(void);

/* ---- exit.c ---- */

/*
 * The process's exit status, the same as run.sh's. An error if no stream could take the whole
 * report: a verdict that nobody can read is none.
 */
int hosted_exit_status(enum exit_code code);

/* ---- ends.c ---- */

/*
 * SIGINT, SIGTERM and SIGHUP end the report before they end the process; SIGPIPE and SIGXFSZ end
 * nothing.
 */
void ends_init(void);

/* ---- stop.c ---- */

void stop_init(void);
/*
 * Stop the threads of all online cores for good, and return when each has left its record, or 200
 * ms have passed. On a thread that is no core.
 */
void stop_cores(void);
/* Where a core was when it was stopped, or NULL if it did not say so in time. */
const struct stop_record *stop_record_of(unsigned core);

/* ---- watchdog.c ---- */

bool watchdog_start(char *error, size_t size);

#endif

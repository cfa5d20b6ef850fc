/* SPDX-License-Identifier: MIT */
/*
 * The machine as a Linux process: what its files share. Cores are threads, each pinned to a
 * processor; traps and interrupts are signals; a core sync is membarrier(2).
 *
 * The headers of the machine that tests/ know (smp/smp.h, kernel/mm/mm.h, kernel/trap/trap.h,
 * kernel/time/time.h, kernel/console/console.h, poke/machine.h) are implemented here a second time,
 * as far as a process can.
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

    /* This thread and its own signal handlers only. */
    uint64_t cr2;
    bool irq_off;
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
/* Sentence about a degradation that does not end the run, or NULL: traced, cannot pin, ... */
const char *limits_note(void);

/* ---- cores.c ---- */

/*
 * Start one thread per processor of `processors`; the calling thread is core 0. False if a thread
 * cannot be started or pinned.
 */
bool cores_start(const int *processors, unsigned count, char *error, size_t size);

/* ---- text.c ---- */

/* Reserve and map patchable text. */
bool text_init(char *error, size_t size);

/* ---- signals.c, interrupts.c ---- */

/* Handlers of all signals; once. */
void signals_init(void);
/* This thread's part: signal stack, GS base. On the thread itself. */
void signals_enter_core(struct hosted_core *core);
void interrupts_init(void);
/* Ask a core to run its cross-call handler. */
void interrupts_send_call(unsigned core);

/* ---- time, console ---- */

void clock_init(void);
/* Where the two streams go beside standard output; says so if a file cannot be made. */
void console_open_files(void);

/* ---- machine.c ---- */

/* The process's exit status, the same as run.sh's. */
int hosted_exit_status(enum exit_code code);

/* ---- watchdog.c ---- */

bool watchdog_start(char *error, size_t size);

#endif

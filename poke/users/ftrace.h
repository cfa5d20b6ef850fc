/* SPDX-License-Identifier: MIT */
/*
 * Function tracing: a call at the entry of compiled functions that is a NOP while nobody wants it.
 * Mirrors Linux's ftrace.
 *
 *     static void count(uintptr_t ip, uintptr_t parent_ip, struct tracer *tracer) { ... }
 *     DEFINE_TRACER(counter, count);
 *
 *     ftrace_set_filter("json_*", &counter);
 *     ftrace_set_filter("*", NULL);
 *
 * What can be traced is what the build has compiled with -pg -mfentry -mrecord-mcount -mnop-mcount
 * (Makefile): a NOP of five bytes is the first instruction of each such function, and section
 * __mcount_loc has its address. It becomes a CALL to the tracer's entry, and a function changes
 * from one tracer to another in one step, CALL to CALL: no pass through it sees neither.
 */
#ifndef POKE_USERS_FTRACE_H
#define POKE_USERS_FTRACE_H

#include "poke/poke.h"

/* Not to be traced: tracers' callbacks, and what they call. */
#define notrace __attribute__((no_instrument_function))

/* Made by DEFINE_TRACER(). */
struct tracer {
    /*
     * `ip`: the function's first instruction; `parent_ip`: where it returns to. Any context,
     * NMI too; it may not fault. What it calls of traced functions is not traced.
     */
    void (*callback)(uintptr_t ip, uintptr_t parent_ip, struct tracer *self);
    void (*entry)(void); /* what the traced functions call */
};

/*
 * A tracer of the file's own. Its entry is what tells it from others: a frame, so that backtraces
 * find the function's caller, the tracer, and all else in ftrace_entry.asm. It is never freed: a
 * core may be in it for any time after it has been disabled.
 */
#define DEFINE_TRACER(name, callback_)                                                             \
    static struct tracer name;                                                                     \
    static __attribute__((naked, section(".text.fixed"))) notrace void name##_entry(void)          \
    {                                                                                              \
        __asm__("push %%rbp\n\t"                                                                   \
                "mov %%rsp, %%rbp\n\t"                                                             \
                "push %0\n\t"                                                                      \
                "jmp ftrace_entry"                                                                 \
                :                                                                                  \
                : "i"(&(name)));                                                                   \
    }                                                                                              \
    static struct tracer name = { .callback = (callback_), .entry = name##_entry }

#define FTRACE_FUNCTIONS_MAX 4096 /* in the kernel */

/*
 * Let each function whose name matches `pattern` (kernel/lib/glob.h), or the one that begins at
 * `function`, or each that has the tracer `old`, have `tracer` from now on; NULL: none. In batches,
 * ascending. When it returns, every pass that begins has the new one; what has begun before may
 * still be in the old one's callback. Functions that have it already stay as they are.
 *
 * Takes text_mutex (POKE_E_LOCK if it is held). With nothing changed: POKE_E_EXPECTED if a function
 * does not begin with what was left there; POKE_E_ADDRESS if there is no such function;
 * POKE_E_DISPLACEMENT if the entry is too far away. Thread context, interrupts on.
 */
enum poke_error ftrace_set_filter(const char *pattern, struct tracer *tracer);
enum poke_error ftrace_set_function(const void *function, struct tracer *tracer);
enum poke_error ftrace_replace(struct tracer *old, struct tracer *tracer);

/* How many functions can be traced, and how many have `tracer` (NULL: none). Thread context. */
uint32_t ftrace_functions(void);
uint32_t ftrace_functions_of(const struct tracer *tracer);

/* Address of function `i`, ascending; 0 .. ftrace_functions() - 1. Pure after ftrace_init(). */
uintptr_t ftrace_function(uint32_t i);

/*
 * Does a function that can be traced begin at `addr`? Has the NOP or CALL of one a byte in [start,
 * start + len)? Pure after ftrace_init().
 */
bool ftrace_is_function(const void *addr);
bool ftrace_text_reserved(uintptr_t start, size_t len);

/* Passes of any core that no callback was called for, since boot: the core was in one already. */
uint64_t ftrace_recursions(void);

/*
 * Find the functions. `memory`: zeroed, CACHE_LINE aligned, ftrace_bytes() bytes, for ever; a line
 * for each core. Once, after machine_cores() is known, on the only core that runs. POKE_E_LENGTH:
 * there are too many; POKE_E_EXPECTED: one has no NOP. All lie in patchable text: the link has seen
 * to it (tools/fixed_text.py).
 */
size_t ftrace_bytes(void);
enum poke_error ftrace_init(void *memory);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Static calls: a call through a pointer that is patched into the code, so that it costs what a
 * direct call does. Mirrors Linux's include/linux/static_call.h.
 *
 *     DEFINE_STATIC_CALL(clock, read_tsc);
 *
 *     now = static_call(clock)();
 *
 *     static_call_update(clock, read_hpet);
 *
 * The name of a static call is a trampoline, one JMP, to which the compiler makes ordinary calls. A
 * tool finds these in the linked kernel (tools/static_calls.py), and each is patched to go straight
 * to the function: CALL, a tail call's JMP, or the JMP of a condition. The trampoline serves who
 * has taken its address.
 */
#ifndef POKE_USERS_STATIC_CALL_H
#define POKE_USERS_STATIC_CALL_H

#include "poke/poke.h"

/* One inline site; found after the link. */
struct static_call_site {
    uintptr_t disp; /* address of its 32-bit displacement, the last four bytes */
    struct static_call_key *key;
};

/* Its members are the file's own. */
struct static_call_key {
    void *func; /* NULL: none */
    uint8_t *trampoline;
    const struct static_call_site *sites; /* ascending */
    uint32_t count;
};

#define STATIC_CALL_SITES_MAX 1024 /* in the kernel */

/* A function of any type that returns 0; a site that calls it executes XOR EAX, EAX. */
long __static_call_return0(void);
#define STATIC_CALL_RETURN0 ((void *)__static_call_return0)

#define STATIC_CALL_KEY(name)   static_call_key_##name
#define STATIC_CALL_TRAMP(name) static_call_tramp_##name

#define STATIC_CALL_TRAMP_(name, code)                                                             \
    __asm__(".pushsection .static_call.text, \"ax\", @progbits\n\t"                                \
            ".balign 8\n\t"                                                                        \
            ".globl static_call_tramp_" #name "\n"                                                 \
            "static_call_tramp_" #name ":\n\t" code "\n\t"                                         \
            ".popsection")

/* Declare one that another file defines; `func` is any function of its type. */
#define DECLARE_STATIC_CALL(name, func)                                                            \
    extern struct static_call_key STATIC_CALL_KEY(name);                                           \
    extern __typeof__(func) STATIC_CALL_TRAMP(name)

/* One that calls `func_`, which is not static. */
#define DEFINE_STATIC_CALL(name, func_)                                                            \
    DECLARE_STATIC_CALL(name, func_);                                                              \
    struct static_call_key STATIC_CALL_KEY(                                                        \
        name) = { .func = (void *)(func_), .trampoline = (uint8_t *)STATIC_CALL_TRAMP(name) };     \
    STATIC_CALL_TRAMP_(name, ".byte 0xe9; .long " #func_ " - 1f; 1:")

/* One that does nothing until it is updated; of functions of the type of `func` without a value. */
#define DEFINE_STATIC_CALL_NULL(name, func_)                                                       \
    DECLARE_STATIC_CALL(name, func_);                                                              \
    struct static_call_key STATIC_CALL_KEY(name) = { .trampoline =                                 \
                                                         (uint8_t *)STATIC_CALL_TRAMP(name) };     \
    STATIC_CALL_TRAMP_(name, "ret; int3; int3; int3; int3")

/* Call it: static_call(name)(arguments). */
#define static_call(name) STATIC_CALL_TRAMP(name)

/*
 * Make it call `func` from now on, on all cores; NULL: nothing (for functions without a value);
 * STATIC_CALL_RETURN0: nothing, and 0. All sites and the trampoline are patched in batches.
 * Takes text_mutex (POKE_E_LOCK if it is held). POKE_E_EXPECTED, with nothing changed, if a site
 * does not hold what was left there; POKE_E_DISPLACEMENT, likewise, if `func` is too far away.
 */
#define static_call_update(name, func_)                                                            \
    static_call_set(&STATIC_CALL_KEY(name), (void *)(1 ? (func_) : &STATIC_CALL_TRAMP(name)))
enum poke_error static_call_set(struct static_call_key *key, void *func);

/*
 * Does a site, or a trampoline, have a byte in [start, start + len)? Mirrors Linux
 * `static_call_text_reserved`. Pure after static_call_init().
 */
bool static_call_text_reserved(uintptr_t start, size_t len);

/* Let all sites go to their functions. Once, on the only core that runs. As jump_label_init(). */
enum poke_error static_call_init(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Redirect a compiled function to another one, as a live patch does.
 *
 *     REDIRECTABLE long area(long side);
 *
 *     redirect(area, area, better_area);  the calls of area() execute better_area()
 *     redirect(area, better_area, area);  and area() again
 *
 * Such a function begins with five bytes of NOP, which become a JMP. The compiler writes them as
 * five instructions: a core that was interrupted between them would return into the middle of the
 * JMP. redirect_init() makes one instruction of them before any other core runs.
 */
#ifndef POKE_USERS_REDIRECT_H
#define POKE_USERS_REDIRECT_H

#include "poke/poke.h"

/*
 * Of a function's first declaration. It may be redirected only if no caller knows more of it than
 * its type: not its body, not which registers it leaves alone (noipa). It is not traced: a tracer's
 * call would lie behind the JMP.
 */
#define REDIRECTABLE __attribute__((patchable_function_entry(5, 0), noipa, no_instrument_function))

/*
 * Let the calls of `func` that execute `from` now execute `to`: functions of one type, of which
 * `func` itself means that it is not redirected. Each call executes the one or the other, whole.
 * When it returns no call enters `from` by way of `func` any more; text_synchronise()
 * (poke/users/reclaim.h) waits until none is inside. Redirected functions must not lead back to
 * `func` in a circle.
 *
 * Takes text_mutex (POKE_E_LOCK if it is held). POKE_E_ADDRESS if `func` is not REDIRECTABLE,
 * POKE_E_EXPECTED if its calls do not execute `from`, POKE_E_DISPLACEMENT; all with nothing
 * changed. Thread context, interrupts on.
 */
#define redirect(func, from, to)                                                                   \
    ({                                                                                             \
        __typeof__(&*(func)) redirect_from_ = (from), redirect_to_ = (to);                         \
        redirect_function((void *)(func), (void *)redirect_from_, (void *)redirect_to_);           \
    })
enum poke_error redirect_function(void *func, void *from, void *to);

/* Does the entry of such a function have a byte in [start, start + len)? Pure. */
bool redirect_text_reserved(uintptr_t start, size_t len);

/*
 * Make one NOP of each function's first five bytes. Once, on the only core that runs, before any of
 * these functions is called. POKE_E_EXPECTED if they are not NOPs; errors of text_poke_early().
 */
enum poke_error redirect_init(void);

#endif

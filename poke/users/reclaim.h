/* SPDX-License-Identifier: MIT */
/*
 * When text that nobody enters any more is free. The end of a patch says that no core enters the
 * old target; one may still be inside. It is not once it has been where it executes no such text.
 */
#ifndef POKE_USERS_RECLAIM_H
#define POKE_USERS_RECLAIM_H

#include "poke/poke.h"

/*
 * This core's thread is outside of all text that may be freed or waited for: no frame of its stack
 * returns there. Threads that run for long pass such a point ever again. Thread context.
 */
void text_quiescent_point(void);

/*
 * Wait until each other core was outside once since the call: it has passed a quiescent point, or
 * was seen to be away (machine_core_away()). What was patched before the call has no core inside
 * what it replaced, in no context: interrupts and NMIs end before the thread below them goes on to
 * its point. Mirrors Linux `synchronize_rcu_tasks`, for each core's one thread.
 *
 * Not covered: text that is entered by another way than the patched one, through a pointer or a
 * second site; text that waits for work or parks its core below itself; the caller itself, which
 * must not be inside. It waits for as long as a thread neither passes a point nor ends. Several may
 * wait: waiting is a quiescent point. POKE_E_LOCK if text_mutex is held: another core may wait for
 * it. Thread context, interrupts on.
 */
enum poke_error text_synchronise(void);

/*
 * Free [text, text + len), which no site leads to any more: wait as above, then fill it with INT3.
 * It may be written again by text_poke_copy(); the patch that leads a site there serialises all
 * cores before one of them executes it. Takes text_mutex. POKE_E_LOCK, _LENGTH, _ADDRESS, and
 * POKE_E_EXPECTED if there is a probe in it, with the text untouched. Context as above.
 */
enum poke_error text_free(void *text, size_t len);

#endif

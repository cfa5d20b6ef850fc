/* SPDX-License-Identifier: MIT */
/*
 * The machine's window on the text that a batch, or a text_poke(), stores to: clear, cover each
 * range, then for each step open, store, close. A step goes through one opening, however many sites
 * it has; Linux opens its temporary mapping once per store. There is one of it, under text_mutex.
 */
#ifndef POKE_WINDOW_H
#define POKE_WINDOW_H

#include "poke/log.h"

/* Begin a new set of pages. */
void text_window_clear(void);

/*
 * Add the pages of [addr, addr + len), at most two. Ranges come in ascending order, at most
 * TEXT_POKE_ARRAY_MAX of them. Returns where `addr` shows in the window, for text_window_store().
 */
uint32_t text_window_cover(uintptr_t addr, size_t len);

/* An opening. The caller's own, so that a loop of stores keeps it in registers. */
struct text_window {
    struct machine_window machine;
    struct poke_stores log;
    unsigned stores;
};

/*
 * Open the window on them: interrupts are off until close. False if the machine cannot. `now` is a
 * recent machine_now(), for the log.
 */
bool text_window_open(struct text_window *w, uint64_t now);

/*
 * Store to [addr, addr + len), which is covered and shows at `at`, and log it. Here, because it is
 * what a batch does most.
 */
static inline void text_window_store(struct text_window *w, uintptr_t addr, uint32_t at,
                                     const uint8_t *bytes, size_t len)
{
    machine_window_store(&w->machine, at, bytes, len);
    poke_log_store(&w->log, addr, bytes[0], len);
    w->stores++;
}

void text_window_close(struct text_window *w);

#endif

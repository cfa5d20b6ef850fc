/* SPDX-License-Identifier: MIT */
/*
 * One opening of the machine's window on all the text that a step of a batch, or a text_poke(),
 * stores to. Linux opens its temporary mapping once per store. There is one of it, under
 * text_mutex: clear, cover each range, open, store to each range, close.
 */
#ifndef POKE_WINDOW_H
#define POKE_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Begin a new set of pages. */
void text_window_clear(void);

/*
 * Add the pages of [addr, addr + len), at most two. Ranges come in ascending order, at most
 * TEXT_POKE_ARRAY_MAX of them.
 */
void text_window_cover(uintptr_t addr, size_t len);

/* Open the window on them: interrupts are off until close. False if the machine cannot. */
bool text_window_open(void);

/* Store to a range that is covered, and log it; ranges in ascending order. */
void text_window_store(uintptr_t addr, const uint8_t *bytes, size_t len);

void text_window_close(void);

#endif

/* SPDX-License-Identifier: MIT */
/* What the TAP stream says when the machine has ended, on the screen too: panics and hangs. */
#ifndef KERNEL_CONSOLE_LAST_WORDS_H
#define KERNEL_CONSOLE_LAST_WORDS_H

#include <stddef.h>

/*
 * The screen is cleared for `title`; what con_write() gets from now on appears there line by line,
 * wrapped. What does not fit is left out, and a row says so. Any context, any core, once all others
 * stand still: they may have been stopped in the middle of drawing.
 */
void last_words_begin(const char *title);

/* For con_write(). */
void last_words_write(const char *text, size_t bytes);

#endif

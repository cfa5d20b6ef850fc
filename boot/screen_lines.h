/* SPDX-License-Identifier: MIT */
/*
 * The loader's lines on the kernel's picture. The firmware's own console would write them into the
 * middle of it: it keeps the place where it was, often on a part of the screen.
 */
#ifndef BOOT_SCREEN_LINES_H
#define BOOT_SCREEN_LINES_H

#include <stdbool.h>

struct boot_framebuffer;

/* The kernel has returned: if it has drawn on this screen, lines go to its last rows. */
void screen_lines_begin(const struct boot_framebuffer *fb);

/* Write `text` below what was written before, the last rows move up. False: not drawn. */
bool screen_lines_write(const char *text);

#endif

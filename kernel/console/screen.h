/* SPDX-License-Identifier: MIT */
/*
 * The screen as cells of text. What is to be seen is kept in memory; screen_draw() brings the cells
 * that have changed since it was last called to the framebuffer.
 *
 * One core at a time: the one that runs the plan; or, when the machine has ended, the one that says
 * so (last_words.h). Without a screen every function does nothing.
 */
#ifndef KERNEL_CONSOLE_SCREEN_H
#define KERNEL_CONSOLE_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/console/geometry.h"

struct boot_framebuffer;

/* Ink and paper. */
enum screen_style {
    STYLE_TEXT,
    STYLE_DIM,
    STYLE_STRONG,
    STYLE_GOOD,
    STYLE_WARN,
    STYLE_BAD,
    STYLE_ACCENT,
    STYLE_TITLE, /* a bar */
    STYLE_ALARM, /* a bar that nobody overlooks */
    STYLE_COUNT
};

/*
 * Use this framebuffer, which is mapped at `base` and has pixels_bytes(). Draws nothing yet; the
 * first drawing sets fb->drawn, each one fb->row_ends.
 */
void screen_attach(struct boot_framebuffer *fb, void *base);
/* No screen any more: what it shows stays there. */
void screen_detach(void);
bool screen_is_on(void);

const struct screen_geometry *screen_layout(void);
unsigned screen_columns(void);
unsigned screen_rows(void);

/* Every cell blank. */
void screen_clear(void);
/* Text, cut off at the right edge; bytes of enum font_block are blocks. */
void screen_put(unsigned row, unsigned column, enum screen_style style, const char *text);
/* `count` times the same character. */
void screen_fill(unsigned row, unsigned column, unsigned count, enum screen_style style, uint8_t c);

/* Text with letters of SCREEN_BIG_COLUMNS by SCREEN_BIG_ROWS cells, made of half blocks. */
#define SCREEN_BIG_COLUMNS 8
#define SCREEN_BIG_ROWS    5
void screen_put_big(unsigned row, unsigned column, enum screen_style style, const char *text);

/* Bring what has changed to the screen. */
void screen_draw(void);
/* Somebody else has drawn: the next screen_draw() draws everything. */
void screen_invalidate(void);

/* One row as text, without its trailing blanks; blocks as their bytes. */
void screen_row_text(unsigned row, char out[static SCREEN_COLUMNS_MAX + 1]);

#endif

/* SPDX-License-Identifier: MIT */
#include "kernel/console/last_words.h"

#include <stdbool.h>

#include "kernel/console/screen.h"

#define FIRST_ROW 2 /* below the title and a blank row */
#define ADVICE    "The serial port has the same text. Photograph this; the report may be lost."

static bool begun, is_full;
static unsigned row, column;

void last_words_begin(const char *title)
{
    if (begun)
        return;
    begun = true;
    row = FIRST_ROW;
    screen_clear();
    screen_invalidate();
    screen_fill(0, 0, screen_columns(), STYLE_ALARM, ' ');
    screen_put(0, 1, STYLE_ALARM, title);
    screen_put(screen_rows() - 1, 1, STYLE_DIM, ADVICE);
    screen_draw();
}

static void next_row(void)
{
    column = 0;
    if (++row + 2 < screen_rows())
        return;
    is_full = true;
    screen_put(row, 1, STYLE_WARN, "The rest is on the serial port only.");
}

static void put(char c)
{
    if (is_full)
        return;
    if (c == '\n') {
        /* The empty line that parts the words from what was printed before them. */
        if (row != FIRST_ROW || column != 0)
            next_row();
        return;
    }
    if (column == screen_columns())
        next_row();
    if (!is_full)
        screen_fill(row, column++, 1, STYLE_TEXT, (uint8_t)c);
}

void last_words_write(const char *text, size_t bytes)
{
    if (!begun || !screen_is_on())
        return;
    for (size_t i = 0; i < bytes; i++)
        put(text[i]);
    screen_draw();
}

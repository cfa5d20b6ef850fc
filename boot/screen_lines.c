/* SPDX-License-Identifier: MIT */
#include "boot/screen_lines.h"

#include "boot/boot_info.h"
#include "kernel/console/geometry.h"
#include "kernel/console/pixels.h"
#include "kernel/lib/string.h"

enum { INK, PAPER };

static bool is_drawn;
static struct pixels pixels;
static struct screen_geometry geometry;
static char lines[SCREEN_LOADER_ROWS][SCREEN_COLUMNS_MAX];
static unsigned row, column;

void screen_lines_begin(const struct boot_framebuffer *fb)
{
    is_drawn = fb->drawn && pixels_bytes(fb) != 0;
    if (!is_drawn)
        return;
    pixels_init(&pixels, fb, (void *)fb->base);
    pixels_set_color(&pixels, fb, INK, SCREEN_INK);
    pixels_set_color(&pixels, fb, PAPER, SCREEN_PAPER);
    geometry = screen_geometry(pixels.width, pixels.height);
    is_drawn = geometry.rows > SCREEN_LOADER_ROWS;
    memset(lines, ' ', sizeof lines);
    row = column = 0;
}

static void draw(void)
{
    const struct screen_geometry *g = &geometry;
    unsigned first = g->rows - SCREEN_LOADER_ROWS;

    for (unsigned r = 0; r < SCREEN_LOADER_ROWS; r++) {
        for (unsigned c = 0; c < g->columns; c++)
            pixels_glyph(&pixels, g->left + c * g->width, g->top + (first + r) * g->height, g->font,
                         g->scale, (uint8_t)lines[r][c], INK, PAPER);
    }
}

static void next_row(void)
{
    column = 0;
    if (++row < SCREEN_LOADER_ROWS)
        return;
    row--;
    memmove(lines[0], lines[1], sizeof lines - sizeof lines[0]);
    memset(lines[row], ' ', sizeof lines[0]);
}

bool screen_lines_write(const char *text)
{
    if (!is_drawn)
        return false;
    for (; *text; text++) {
        if (*text == '\n') {
            next_row();
            continue;
        }
        if (column == 0)
            column = 1; /* as the kernel's text */
        if (column == geometry.columns)
            next_row();
        lines[row][column++] = *text;
    }
    draw();
    return true;
}

/* SPDX-License-Identifier: MIT */
#include "kernel/console/geometry.h"

#define COLUMNS_WANTED 100
#define ROWS_WANTED    30

static unsigned smaller(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

struct screen_geometry screen_geometry(uint32_t width, uint32_t height)
{
    struct screen_geometry g = { .font = &fonts[0] };

    g.scale =
        smaller(width / (COLUMNS_WANTED * g.font->width), height / (ROWS_WANTED * g.font->height));
    if (g.scale == 0)
        g.scale = 1;
    /* A font that is twice as large is rounder than one that is enlarged. */
    for (unsigned i = 1; i < font_count && g.scale % 2 == 0; i++) {
        g.font = &fonts[i];
        g.scale /= 2;
    }
    g.width = g.font->width * g.scale;
    g.height = g.font->height * g.scale;
    g.columns = smaller(width / g.width, SCREEN_COLUMNS_MAX);
    g.rows = smaller(height / g.height, SCREEN_ROWS_MAX);
    g.left = (width - g.columns * g.width) / 2;
    g.top = (height - g.rows * g.height) / 2;
    return g;
}

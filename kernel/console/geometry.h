/* SPDX-License-Identifier: MIT */
/* How text is laid out on a screen of so many pixels. Pure. */
#ifndef KERNEL_CONSOLE_GEOMETRY_H
#define KERNEL_CONSOLE_GEOMETRY_H

#include <stdint.h>

#include "kernel/console/font.h"

/* More of a screen stays empty. */
#define SCREEN_COLUMNS_MAX 240
#define SCREEN_ROWS_MAX    120

/*
 * The last rows belong to the loader when the kernel has returned: where the report is, and what to
 * press.
 */
#define SCREEN_LOADER_ROWS 6

#define SCREEN_INK   0xc8ccd0
#define SCREEN_PAPER 0x101418

struct screen_geometry {
    const struct font *font;
    unsigned scale;         /* pixels that each pixel of the font is wide and high */
    unsigned columns, rows; /* 0: no cell fits */
    unsigned width, height; /* of a cell, pixels */
    unsigned left, top;     /* the first pixel: the cells are in the middle */
};

/* Glyphs are enlarged as far as about 100 columns and 30 rows are left. */
struct screen_geometry screen_geometry(uint32_t width, uint32_t height);

#endif

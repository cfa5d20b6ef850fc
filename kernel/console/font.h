/* SPDX-License-Identifier: MIT */
/*
 * Bitmap fonts: Spleen (BSD, two clauses), made into a table by tools/font.py at build time.
 * Constant, any context.
 */
#ifndef KERNEL_CONSOLE_FONT_H
#define KERNEL_CONSOLE_FONT_H

#include <stdint.h>

/*
 * Characters: printable ASCII, and five blocks above it. Text for the screen names the blocks by
 * these bytes.
 */
enum font_block {
    BLOCK_FULL = 0x80,
    BLOCK_LIGHT, /* a quarter of the pixels */
    BLOCK_UPPER, /* the upper half */
    BLOCK_LOWER,
    BLOCK_LINE, /* horizontal, in the middle */
    BLOCK_END,
};

struct font {
    unsigned width, height; /* pixels */
    const uint8_t *glyphs;  /* per glyph `height` rows of (width + 7) / 8 bytes, leftmost first */
};

/* The smallest first, each twice as large as the one before. */
extern const struct font fonts[];
extern const unsigned font_count;

/* The rows of a character's glyph; of what is no character here, those of '?'. */
static inline const uint8_t *font_glyph(const struct font *font, uint8_t c)
{
    unsigned ascii = 0x7f - 0x20;
    unsigned index = '?' - 0x20;

    if (c >= 0x20 && c < 0x7f)
        index = c - 0x20u;
    else if (c >= BLOCK_FULL && c < BLOCK_END)
        index = ascii + c - BLOCK_FULL;
    return font->glyphs + index * font->height * ((font->width + 7) / 8);
}

#endif

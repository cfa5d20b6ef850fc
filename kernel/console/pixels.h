/* SPDX-License-Identifier: MIT */
/*
 * Glyphs and rectangles into a linear framebuffer. Pure: the memory is the caller's. It is only
 * written, never read: a read from video memory can take a microsecond.
 */
#ifndef KERNEL_CONSOLE_PIXELS_H
#define KERNEL_CONSOLE_PIXELS_H

#include <stdbool.h>
#include <stdint.h>

#include "boot/boot_info.h"
#include "kernel/console/font.h"

#define PIXELS_COLORS 32

struct pixels {
    uint8_t *base;
    uint32_t width, height;
    uint64_t pitch;                 /* bytes from one line to the next */
    unsigned bytes;                 /* of a pixel: 2 or 4 */
    uint32_t colors[PIXELS_COLORS]; /* as they are stored */
};

/*
 * How many bytes the picture takes, up to the end of its last line; 0 if it cannot be drawn: no
 * framebuffer, a format with pixels of 3 bytes or with overlapping or broken masks, a stride below
 * the width, an aperture that is too small.
 */
uint64_t pixels_bytes(const struct boot_framebuffer *fb);

/* `base` is where the framebuffer is mapped, pixels_bytes() are not 0. Colors are all 0. */
void pixels_init(struct pixels *p, const struct boot_framebuffer *fb, void *base);

/* Color `index` is 0xRRGGBB from now on. */
void pixels_set_color(struct pixels *p, const struct boot_framebuffer *fb, unsigned index,
                      uint32_t rgb);

/* A rectangle in one color. All of it must lie on the screen. */
void pixels_fill(const struct pixels *p, uint32_t x, uint32_t y, uint32_t width, uint32_t height,
                 unsigned color);
/* Everything in one color. */
void pixels_clear(const struct pixels *p, unsigned color);

/*
 * The glyph of `c` with its upper left pixel at x, y, each pixel of it `scale` wide and high. All
 * of it must lie on the screen.
 */
void pixels_glyph(const struct pixels *p, uint32_t x, uint32_t y, const struct font *font,
                  unsigned scale, uint8_t c, unsigned ink, unsigned paper);

#endif

/* SPDX-License-Identifier: MIT */
#include "kernel/console/pixels.h"

/* Bits of one color: a block of ones. */
static bool is_mask(uint32_t mask)
{
    uint32_t low = mask & (0 - mask);

    return mask != 0 && (mask & (mask + low)) == 0;
}

static bool masks_are_usable(const struct boot_framebuffer *fb)
{
    uint32_t r = fb->red_mask, g = fb->green_mask, b = fb->blue_mask;

    return is_mask(r) && is_mask(g) && is_mask(b) && !(r & g) && !(r & b) && !(g & b);
}

/* The masks tell the pixel's size, up to its reserved bits. */
static unsigned bytes_per_pixel(const struct boot_framebuffer *fb)
{
    switch (fb->format) {
    case BOOT_PIXELS_RGBX:
    case BOOT_PIXELS_BGRX:
        return 4;
    case BOOT_PIXELS_MASK:
        if (!masks_are_usable(fb))
            return 0;
        return (fb->red_mask | fb->green_mask | fb->blue_mask) >> 16 ? 4 : 2;
    default:
        return 0;
    }
}

uint64_t pixels_bytes(const struct boot_framebuffer *fb)
{
    uint64_t need = (uint64_t)fb->stride * fb->height;
    unsigned bytes = bytes_per_pixel(fb);

    if (!fb->base || !fb->width || !fb->height || fb->stride < fb->width || need >> 32)
        return 0;
    need *= bytes;
    return need <= fb->bytes ? need : 0;
}

void pixels_init(struct pixels *p, const struct boot_framebuffer *fb, void *base)
{
    *p = (struct pixels){
        .base = base,
        .width = fb->width,
        .height = fb->height,
        .bytes = bytes_per_pixel(fb),
    };
    p->pitch = (uint64_t)fb->stride * p->bytes;
}

static uint32_t spread(uint32_t component, uint32_t mask)
{
    uint32_t low = mask & (0 - mask);

    return (uint32_t)((uint64_t)component * (mask / low) / 255) * low;
}

static uint32_t encode(const struct boot_framebuffer *fb, uint32_t rgb)
{
    uint32_t r = rgb >> 16 & 255, g = rgb >> 8 & 255, b = rgb & 255;

    switch (fb->format) {
    case BOOT_PIXELS_RGBX:
        return r | g << 8 | b << 16;
    case BOOT_PIXELS_BGRX:
        return b | g << 8 | r << 16;
    default:
        return spread(r, fb->red_mask) | spread(g, fb->green_mask) | spread(b, fb->blue_mask);
    }
}

void pixels_set_color(struct pixels *p, const struct boot_framebuffer *fb, unsigned index,
                      uint32_t rgb)
{
    p->colors[index] = encode(fb, rgb);
}

static uint8_t *line_at(const struct pixels *p, uint32_t x, uint32_t y)
{
    return p->base + y * p->pitch + (uint64_t)x * p->bytes;
}

/* `count` pixels of one color; returns where the next one goes. */
static uint8_t *run(uint8_t *to, unsigned bytes, uint32_t color, unsigned count)
{
    for (unsigned i = 0; i < count; i++, to += bytes) {
        if (bytes == 4)
            *(uint32_t *)to = color;
        else
            *(uint16_t *)to = (uint16_t)color;
    }
    return to;
}

void pixels_fill(const struct pixels *p, uint32_t x, uint32_t y, uint32_t width, uint32_t height,
                 unsigned color)
{
    for (uint32_t line = y; line < y + height; line++)
        run(line_at(p, x, line), p->bytes, p->colors[color], width);
}

void pixels_clear(const struct pixels *p, unsigned color)
{
    pixels_fill(p, 0, 0, p->width, p->height, color);
}

void pixels_glyph(const struct pixels *p, uint32_t x, uint32_t y, const struct font *font,
                  unsigned scale, uint8_t c, unsigned ink, unsigned paper)
{
    const uint8_t *row = font_glyph(font, c);

    for (unsigned i = 0; i < font->height; i++, row += (font->width + 7) / 8) {
        for (unsigned copy = 0; copy < scale; copy++) {
            uint8_t *to = line_at(p, x, y + i * scale + copy);

            for (unsigned j = 0; j < font->width; j++) {
                bool set = row[j / 8] >> (7 - j % 8) & 1;

                to = run(to, p->bytes, p->colors[set ? ink : paper], scale);
            }
        }
    }
}

/* SPDX-License-Identifier: MIT */
#include "boot/qr.h"

#include <qrcodegen.h>

#include "boot/boot_info.h"
#include "kernel/console/geometry.h"
#include "kernel/console/pixels.h"
#include "kernel/lib/string.h"

/*
 * Telephones read larger codes from a screen badly. A smaller one than the least has no room for
 * verdict and counts.
 */
#define VERSION_MAX   25
#define VERSION_LEAST 5

#define QUIET      4 /* modules around the code (ISO/IEC 18004) */
#define MODULE_MIN 2 /* pixels */

enum { BLACK, WHITE };

/* Pixels. */
struct square {
    uint32_t x, y, side;
};

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* The largest square without text, as far to the right and as high up as it goes. */
static struct square free_square(const struct boot_framebuffer *fb, const struct screen_geometry *g)
{
    struct square best = { 0 };

    for (unsigned top = 0; top + SCREEN_LOADER_ROWS < g->rows; top++) {
        unsigned end = 0;

        for (unsigned row = top; row + SCREEN_LOADER_ROWS < g->rows; row++) {
            if (fb->row_ends[row] > end)
                end = fb->row_ends[row];
            if (end >= g->columns)
                break;
            uint32_t side = smaller((g->columns - end) * g->width, (row + 1 - top) * g->height);
            if (side > best.side)
                best = (struct square){ g->left + g->columns * g->width - side,
                                        g->top + top * g->height, side };
        }
    }
    return best;
}

/* The version with so many modules on a side, or the one below. */
static int version_with(uint32_t modules)
{
    return modules < 17 ? 0 : (int)smaller((modules - 17) / 4, VERSION_MAX);
}

/* Encode as much of the text as a code of `version` holds. Returns how much. */
static size_t encode(const char *text, int version, uint8_t *code)
{
    static uint8_t data[qrcodegen_BUFFER_LEN_FOR_VERSION(VERSION_MAX)];
    size_t bytes = strlen(text);

    if (bytes > (size_t)qrcodegen_BUFFER_LEN_FOR_VERSION(version))
        bytes = (size_t)qrcodegen_BUFFER_LEN_FOR_VERSION(version);
    for (; bytes > 0; bytes--) {
        memcpy(data, text, bytes);
        /* The least version that is enough, at the highest level of correction that it has. */
        if (qrcodegen_encodeBinary(data, bytes, code, qrcodegen_Ecc_LOW, qrcodegen_VERSION_MIN,
                                   version, qrcodegen_Mask_AUTO, true))
            break;
    }
    return bytes;
}

static void draw(const struct pixels *p, const struct square *at, const uint8_t *code)
{
    unsigned modules = (unsigned)qrcodegen_getSize(code);
    unsigned size = at->side / (modules + 2 * QUIET);
    unsigned side = size * (modules + 2 * QUIET);
    uint32_t left = at->x + at->side - side;

    pixels_fill(p, left, at->y, side, side, WHITE);
    for (unsigned y = 0; y < modules; y++) {
        for (unsigned x = 0; x < modules; x++) {
            if (qrcodegen_getModule(code, (int)x, (int)y))
                pixels_fill(p, left + (QUIET + x) * size, at->y + (QUIET + y) * size, size, size,
                            BLACK);
        }
    }
    /* Or the last pixels may stay in the write-combining buffers (SDM vol 3A, 11.3.1). */
    __asm__ volatile("sfence" ::: "memory");
}

size_t qr_draw(const struct boot_framebuffer *fb, void *base, const char *text)
{
    static uint8_t code[qrcodegen_BUFFER_LEN_FOR_VERSION(VERSION_MAX)];
    struct pixels pixels;

    if (!fb->drawn || pixels_bytes(fb) == 0)
        return 0;
    struct screen_geometry g = screen_geometry(fb->width, fb->height);
    struct square at = free_square(fb, &g);
    uint32_t modules = at.side / MODULE_MIN;
    int version = modules < 2 * QUIET ? 0 : version_with(modules - 2 * QUIET);
    if (version < VERSION_LEAST)
        return 0;
    size_t bytes = encode(text, version, code);
    if (bytes == 0)
        return 0;
    pixels_init(&pixels, fb, base);
    pixels_set_color(&pixels, fb, BLACK, 0x000000);
    pixels_set_color(&pixels, fb, WHITE, 0xffffff);
    draw(&pixels, &at, code);
    return bytes;
}

/* SPDX-License-Identifier: MIT */
#include "kernel/console/screen.h"

#include "kernel/console/pixels.h"
#include "kernel/lib/string.h"

struct cell {
    uint8_t c, style;
};

static const struct {
    uint32_t ink, paper;
} styles[STYLE_COUNT] = {
    [STYLE_TEXT] = { SCREEN_INK, SCREEN_PAPER }, [STYLE_DIM] = { 0x808890, SCREEN_PAPER },
    [STYLE_STRONG] = { 0xffffff, SCREEN_PAPER }, [STYLE_GOOD] = { 0x78c47c, SCREEN_PAPER },
    [STYLE_WARN] = { 0xe8b84a, SCREEN_PAPER },   [STYLE_BAD] = { 0xf06a5e, SCREEN_PAPER },
    [STYLE_ACCENT] = { 0x6aa5dc, SCREEN_PAPER }, [STYLE_TITLE] = { 0xffffff, 0x24496e },
    [STYLE_ALARM] = { 0xffffff, 0xa02820 },
};
_Static_assert(2 * STYLE_COUNT <= PIXELS_COLORS, "ink and paper of each style");
_Static_assert(SCREEN_ROWS_MAX == BOOT_SCREEN_ROWS && SCREEN_COLUMNS_MAX <= UINT8_MAX, "row_ends");

static bool is_on;
static struct pixels pixels;
static struct boot_framebuffer *framebuffer;
static struct screen_geometry geometry;
static bool all_changed; /* nothing of what the screen shows is ours */
static struct cell wanted[SCREEN_ROWS_MAX][SCREEN_COLUMNS_MAX];
static struct cell shown[SCREEN_ROWS_MAX][SCREEN_COLUMNS_MAX];

void screen_attach(struct boot_framebuffer *fb, void *base)
{
    pixels_init(&pixels, fb, base);
    for (unsigned i = 0; i < STYLE_COUNT; i++) {
        pixels_set_color(&pixels, fb, 2 * i, styles[i].ink);
        pixels_set_color(&pixels, fb, 2 * i + 1, styles[i].paper);
    }
    framebuffer = fb;
    geometry = screen_geometry(pixels.width, pixels.height);
    is_on = geometry.columns > 0 && geometry.rows > 0;
    screen_clear();
    screen_invalidate();
}

void screen_detach(void)
{
    is_on = false;
}

bool screen_is_on(void)
{
    return is_on;
}

unsigned screen_columns(void)
{
    return geometry.columns;
}

unsigned screen_rows(void)
{
    return geometry.rows;
}

const struct screen_geometry *screen_layout(void)
{
    return &geometry;
}

void screen_clear(void)
{
    for (unsigned row = 0; row < geometry.rows; row++)
        screen_fill(row, 0, geometry.columns, STYLE_TEXT, ' ');
}

void screen_fill(unsigned row, unsigned column, unsigned count, enum screen_style style, uint8_t c)
{
    if (!is_on || row >= geometry.rows)
        return;
    for (; count > 0 && column < geometry.columns; count--, column++)
        wanted[row][column] = (struct cell){ c, (uint8_t)style };
}

void screen_put(unsigned row, unsigned column, enum screen_style style, const char *text)
{
    for (; *text; text++, column++)
        screen_fill(row, column, 1, style, (uint8_t)*text);
}

/* ---- large letters: each pixel of the small font is half a cell ---- */

#define BIG_FIRST_ROW 2 /* of the smallest font: capitals begin there */

static bool pixel_of(const uint8_t *glyph, unsigned row, unsigned column)
{
    return glyph[row] >> (7 - column) & 1;
}

static void put_big_letter(unsigned row, unsigned column, enum screen_style style, char letter)
{
    static const uint8_t halves[2][2] = { { ' ', BLOCK_LOWER }, { BLOCK_UPPER, BLOCK_FULL } };
    const uint8_t *glyph = font_glyph(&fonts[0], (uint8_t)letter);

    for (unsigned r = 0; r < SCREEN_BIG_ROWS; r++) {
        for (unsigned c = 0; c < SCREEN_BIG_COLUMNS; c++) {
            bool upper = pixel_of(glyph, BIG_FIRST_ROW + 2 * r, c);
            bool lower = pixel_of(glyph, BIG_FIRST_ROW + 2 * r + 1, c);

            screen_fill(row + r, column + c, 1, style, halves[upper][lower]);
        }
    }
}

void screen_put_big(unsigned row, unsigned column, enum screen_style style, const char *text)
{
    for (; *text; text++, column += SCREEN_BIG_COLUMNS)
        put_big_letter(row, column, style, *text);
}

/* ---- to the framebuffer ---- */

static void draw_cell(unsigned row, unsigned column, struct cell cell)
{
    const struct screen_geometry *g = &geometry;

    pixels_glyph(&pixels, g->left + column * g->width, g->top + row * g->height, g->font, g->scale,
                 cell.c, 2u * cell.style, 2u * cell.style + 1);
    shown[row][column] = cell;
}

void screen_draw(void)
{
    if (!is_on)
        return;
    if (all_changed) {
        pixels_clear(&pixels, 2 * STYLE_TEXT + 1);
        for (unsigned row = 0; row < geometry.rows; row++) {
            for (unsigned column = 0; column < geometry.columns; column++)
                shown[row][column] = (struct cell){ ' ', STYLE_TEXT };
        }
        all_changed = false;
        framebuffer->drawn = 1;
    }
    for (unsigned row = 0; row < geometry.rows; row++) {
        unsigned end = 0;

        for (unsigned column = 0; column < geometry.columns; column++) {
            struct cell cell = wanted[row][column];

            if (cell.c != ' ' || cell.style != STYLE_TEXT)
                end = column + 1;
            if (cell.c != shown[row][column].c || cell.style != shown[row][column].style)
                draw_cell(row, column, cell);
        }
        framebuffer->row_ends[row] = (uint8_t)end;
    }
    /* Or the last pixels may stay in the write-combining buffers (SDM vol 3A, 11.3.1). */
    __asm__ volatile("sfence" ::: "memory");
}

void screen_invalidate(void)
{
    all_changed = true;
}

void screen_row_text(unsigned row, char out[static SCREEN_COLUMNS_MAX + 1])
{
    unsigned length = 0;

    for (unsigned column = 0; column < geometry.columns; column++) {
        out[column] = (char)wanted[row][column].c;
        if (out[column] != ' ')
            length = column + 1;
    }
    out[length] = '\0';
}

/* SPDX-License-Identifier: MIT */
#include "kernel/console/screen.h"

#include "kernel/console/pixels.h"
#include "kernel/lib/string.h"

#define COLUMNS_WANTED 100
#define ROWS_WANTED    30

struct cell {
    uint8_t c, style;
};

static const struct {
    uint32_t ink, paper;
} styles[STYLE_COUNT] = {
    [STYLE_TEXT] = { 0xc8ccd0, 0x101418 },   [STYLE_DIM] = { 0x808890, 0x101418 },
    [STYLE_STRONG] = { 0xffffff, 0x101418 }, [STYLE_GOOD] = { 0x78c47c, 0x101418 },
    [STYLE_WARN] = { 0xe8b84a, 0x101418 },   [STYLE_BAD] = { 0xf06a5e, 0x101418 },
    [STYLE_ACCENT] = { 0x6aa5dc, 0x101418 }, [STYLE_TITLE] = { 0xffffff, 0x24496e },
    [STYLE_ALARM] = { 0xffffff, 0xa02820 },
};
_Static_assert(2 * STYLE_COUNT <= PIXELS_COLORS, "ink and paper of each style");

static bool is_on;
static struct pixels pixels;
static const struct font *font;
static unsigned scale, columns, rows, left, top;
static bool all_changed; /* nothing of what the screen shows is ours */
static struct cell wanted[SCREEN_ROWS_MAX][SCREEN_COLUMNS_MAX];
static struct cell shown[SCREEN_ROWS_MAX][SCREEN_COLUMNS_MAX];

static unsigned smaller(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* The larger font instead of the smaller one twice as large: its letters are rounder. */
static void choose_font(void)
{
    font = &fonts[0];
    scale = smaller(pixels.width / (COLUMNS_WANTED * font->width),
                    pixels.height / (ROWS_WANTED * font->height));
    if (scale == 0)
        scale = 1;
    for (unsigned i = 1; i < font_count && scale % 2 == 0; i++) {
        font = &fonts[i];
        scale /= 2;
    }
}

void screen_attach(const struct boot_framebuffer *fb, void *base)
{
    pixels_init(&pixels, fb, base);
    for (unsigned i = 0; i < STYLE_COUNT; i++) {
        pixels_set_color(&pixels, fb, 2 * i, styles[i].ink);
        pixels_set_color(&pixels, fb, 2 * i + 1, styles[i].paper);
    }
    choose_font();
    columns = smaller(pixels.width / (font->width * scale), SCREEN_COLUMNS_MAX);
    rows = smaller(pixels.height / (font->height * scale), SCREEN_ROWS_MAX);
    left = (pixels.width - columns * font->width * scale) / 2;
    top = (pixels.height - rows * font->height * scale) / 2;
    is_on = columns > 0 && rows > 0;
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
    return columns;
}

unsigned screen_rows(void)
{
    return rows;
}

struct screen_geometry screen_geometry(void)
{
    return (struct screen_geometry){ font->height, scale, left, top };
}

void screen_clear(void)
{
    for (unsigned row = 0; row < rows; row++)
        screen_fill(row, 0, columns, STYLE_TEXT, ' ');
}

void screen_fill(unsigned row, unsigned column, unsigned count, enum screen_style style, uint8_t c)
{
    if (!is_on || row >= rows)
        return;
    for (; count > 0 && column < columns; count--, column++)
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
    pixels_glyph(&pixels, left + column * font->width * scale, top + row * font->height * scale,
                 font, scale, cell.c, 2u * cell.style, 2u * cell.style + 1);
    shown[row][column] = cell;
}

void screen_draw(void)
{
    if (!is_on)
        return;
    if (all_changed) {
        pixels_clear(&pixels, 2 * STYLE_TEXT + 1);
        for (unsigned row = 0; row < rows; row++) {
            for (unsigned column = 0; column < columns; column++)
                shown[row][column] = (struct cell){ ' ', STYLE_TEXT };
        }
        all_changed = false;
    }
    for (unsigned row = 0; row < rows; row++) {
        for (unsigned column = 0; column < columns; column++) {
            struct cell cell = wanted[row][column];

            if (cell.c != shown[row][column].c || cell.style != shown[row][column].style)
                draw_cell(row, column, cell);
        }
    }
}

void screen_invalidate(void)
{
    all_changed = true;
}

void screen_row_text(unsigned row, char out[static SCREEN_COLUMNS_MAX + 1])
{
    unsigned length = 0;

    for (unsigned column = 0; column < columns; column++) {
        out[column] = (char)wanted[row][column].c;
        if (out[column] != ' ')
            length = column + 1;
    }
    out[length] = '\0';
}

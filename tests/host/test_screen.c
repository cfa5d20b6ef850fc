/* SPDX-License-Identifier: MIT */
/* Cells to pixels in every format, and back by the glyphs. */
#include "tests/host/host_test.h"

#include "boot/boot_info.h"
#include "kernel/console/last_words.h"
#include "kernel/console/pixels.h"
#include "kernel/console/screen.h"

#define GARBAGE 0xa5

static uint8_t *memory;
static size_t memory_bytes;

/* A framebuffer with lines longer than what is seen of them; `extra` pixels. */
static struct boot_framebuffer framebuffer(enum boot_pixel_format format, uint32_t width,
                                           uint32_t height, uint32_t extra)
{
    struct boot_framebuffer fb = {
        .base = 0x4000000000, /* above 4 GiB */
        .width = width,
        .height = height,
        .stride = width + extra,
        .format = format,
    };

    if (format == BOOT_PIXELS_MASK) {
        fb.red_mask = 0x3ff00000;
        fb.green_mask = 0xffc00;
        fb.blue_mask = 0x3ff;
    }
    fb.bytes = (uint64_t)fb.stride * height * 4;
    return fb;
}

static void make_memory(const struct boot_framebuffer *fb)
{
    free(memory);
    memory_bytes = fb->bytes;
    memory = malloc(memory_bytes);
    memset(memory, GARBAGE, memory_bytes);
}

static uint32_t pixel(const struct boot_framebuffer *fb, uint32_t x, uint32_t y)
{
    uint32_t value;

    memcpy(&value, memory + ((uint64_t)y * fb->stride + x) * 4, 4);
    return value;
}

/* The character of a cell by its pixels alone, 0 if they are no glyph of ours. */
static uint8_t read_cell(const struct boot_framebuffer *fb, unsigned row, unsigned column,
                         uint32_t ink, uint32_t paper)
{
    const struct screen_geometry *g = screen_layout();

    for (unsigned c = 0x20; c < BLOCK_END; c++) {
        const uint8_t *glyph = font_glyph(g->font, (uint8_t)c);
        unsigned bytes = (g->font->width + 7) / 8;
        bool same = c < 0x7f || c >= BLOCK_FULL;

        for (unsigned y = 0; y < g->height && same; y++) {
            for (unsigned x = 0; x < g->width && same; x++) {
                unsigned gx = x / g->scale, gy = y / g->scale;
                bool set = glyph[gy * bytes + gx / 8] >> (7 - gx % 8) & 1;

                same = pixel(fb, g->left + column * g->width + x, g->top + row * g->height + y) ==
                       (set ? ink : paper);
            }
        }
        if (same)
            return (uint8_t)c;
    }
    return 0;
}

static void assert_row(const struct boot_framebuffer *fb, unsigned row, const char *text,
                       uint32_t ink, uint32_t paper)
{
    for (unsigned i = 0; text[i]; i++)
        assert_int_equal(read_cell(fb, row, i, ink, paper), (uint8_t)text[i]);
}

static void assert_margin_untouched(const struct boot_framebuffer *fb)
{
    for (uint32_t y = 0; y < fb->height; y++) {
        for (uint32_t x = fb->width; x < fb->stride; x++)
            assert_int_equal(pixel(fb, x, y), 0xa5a5a5a5);
    }
}

static const char everything[] = " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";

static void every_format_size_and_stride(void **state)
{
    static const struct {
        enum boot_pixel_format format;
        uint32_t ink, paper; /* SCREEN_INK and SCREEN_PAPER as they are stored */
    } formats[] = {
        { BOOT_PIXELS_RGBX, 0xd0ccc8, 0x181410 },
        { BOOT_PIXELS_BGRX, 0xc8ccd0, 0x101418 },
        { BOOT_PIXELS_MASK, 802u << 20 | 818u << 10 | 834, 64u << 20 | 80u << 10 | 96 },
    };
    static const struct {
        uint32_t width, height, extra;
        unsigned columns, rows, cell_height;
    } sizes[] = {
        { 640, 480, 0, 80, 30, 16 },      { 800, 600, 32, 100, 37, 16 },
        { 1280, 800, 0, 160, 50, 16 },    { 1366, 768, 10, 170, 48, 16 },
        { 1920, 1080, 128, 120, 33, 32 }, { 2560, 1440, 0, 106, 30, 48 },
        { 3840, 2160, 256, 120, 33, 64 }, { 1080, 1920, 8, 135, 120, 16 },
        { 1921, 1081, 7, 120, 33, 32 },
    };

    (void)state;
    for (unsigned f = 0; f < sizeof formats / sizeof formats[0]; f++) {
        for (unsigned s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            struct boot_framebuffer fb =
                framebuffer(formats[f].format, sizes[s].width, sizes[s].height, sizes[s].extra);
            uint32_t ink = formats[f].ink, paper = formats[f].paper;

            assert_int_equal(pixels_bytes(&fb), fb.bytes);
            make_memory(&fb);
            screen_attach(&fb, memory);
            assert_int_equal(screen_columns(), sizes[s].columns);
            assert_int_equal(screen_rows(), sizes[s].rows);
            assert_int_equal(screen_layout()->height, sizes[s].cell_height);
            assert_false(fb.drawn);
            screen_put(0, 0, STYLE_TEXT, everything);
            screen_put(3, 0, STYLE_TEXT, "\x80\x81\x82\x83\x84");
            screen_put(screen_rows() - 1, screen_columns() - 3, STYLE_TEXT, "cut off");
            screen_draw();
            assert_true(fb.drawn);
            char shown[sizeof everything];
            snprintf(shown, sizeof shown, "%.*s", (int)screen_columns(), everything);
            assert_row(&fb, 0, shown, ink, paper);
            assert_row(&fb, 3, "\x80\x81\x82\x83\x84", ink, paper);
            assert_int_equal(read_cell(&fb, screen_rows() - 1, screen_columns() - 1, ink, paper),
                             't');
            assert_int_equal(pixel(&fb, 0, 0), paper);
            assert_int_equal(pixel(&fb, fb.width - 1, fb.height - 1), paper);
            assert_margin_untouched(&fb);
        }
    }
}

static void only_what_has_changed_is_drawn(void **state)
{
    struct boot_framebuffer fb = framebuffer(BOOT_PIXELS_BGRX, 1280, 800, 0);
    uint8_t *before = malloc(fb.bytes);
    size_t changed = 0;

    (void)state;
    make_memory(&fb);
    screen_attach(&fb, memory);
    screen_put(5, 5, STYLE_TEXT, "the same text");
    screen_draw();
    /* Somebody scribbles over it all: what is drawn from now on stands out. */
    memset(memory, GARBAGE, fb.bytes);
    memcpy(before, memory, fb.bytes);
    screen_clear();
    screen_put(5, 5, STYLE_TEXT, "the same next");
    screen_draw();
    for (size_t i = 0; i < fb.bytes; i++)
        changed += memory[i] != before[i];
    assert_int_equal(read_cell(&fb, 5, 5 + 9, 0xc8ccd0, 0x101418), 'n');
    assert_int_equal(changed, 1 * 8 * 16 * 4 /* t, and not e, x, t */);
    screen_put(5, 5, STYLE_BAD, "t");
    screen_draw();
    assert_int_equal(read_cell(&fb, 5, 5, 0xf06a5e, 0x101418), 't');
    screen_invalidate();
    screen_draw();
    assert_row(&fb, 5, "     ", 0xc8ccd0, 0x101418);
    assert_int_equal(read_cell(&fb, 5, 6, 0xc8ccd0, 0x101418), 'h');
    free(before);
}

/* 5 bits of red and blue, 6 of green: pixels of two bytes. */
static void sixteen_bits(void **state)
{
    struct boot_framebuffer fb = {
        .base = 0x1000,
        .bytes = 640 * 480 * 2,
        .width = 640,
        .height = 480,
        .stride = 640,
        .format = BOOT_PIXELS_MASK,
        .red_mask = 0xf800,
        .green_mask = 0x7e0,
        .blue_mask = 0x1f,
    };
    uint16_t first, second;

    (void)state;
    assert_int_equal(pixels_bytes(&fb), fb.bytes);
    make_memory(&fb);
    screen_attach(&fb, memory);
    screen_put(0, 0, STYLE_STRONG, "\x80 ");
    screen_draw();
    memcpy(&first, memory, 2);
    memcpy(&second, memory + 8 * 2, 2);
    assert_int_equal(first, 0xffff);
    assert_int_equal(second, 1 << 11 | 4 << 5 | 2);
}

static void what_cannot_be_drawn_is_refused(void **state)
{
    struct boot_framebuffer good = framebuffer(BOOT_PIXELS_MASK, 640, 480, 16), fb;

    (void)state;
    assert_true(pixels_bytes(&good));
#define REFUSED(change)                                                                            \
    do {                                                                                           \
        fb = good;                                                                                 \
        change;                                                                                    \
        assert_int_equal(pixels_bytes(&fb), 0);                                                    \
    } while (0)
    REFUSED(fb.format = BOOT_PIXELS_NONE);
    REFUSED(fb.base = 0);
    REFUSED(fb.width = 0);
    REFUSED(fb.height = 0);
    REFUSED(fb.stride = fb.width - 1);
    REFUSED(fb.bytes--);
    REFUSED(fb.stride = UINT32_MAX);
    REFUSED(fb.height = UINT32_MAX; fb.bytes = UINT64_MAX);
    REFUSED(fb.red_mask = 0);
    REFUSED(fb.red_mask = 0x30100000); /* with a hole */
    REFUSED(fb.green_mask = fb.blue_mask);
    fb = (struct boot_framebuffer){ 0 };
    assert_int_equal(pixels_bytes(&fb), 0);
}

static void big_letters_are_the_small_ones(void **state)
{
    struct boot_framebuffer fb = framebuffer(BOOT_PIXELS_BGRX, 640, 480, 0);
    char row[SCREEN_COLUMNS_MAX + 1];
    unsigned set = 0;

    (void)state;
    make_memory(&fb);
    screen_attach(&fb, memory);
    screen_put_big(4, 0, STYLE_GOOD, "L");
    for (unsigned r = 0; r < SCREEN_BIG_ROWS; r++) {
        screen_row_text(4 + r, row);
        for (const char *c = row; *c; c++)
            set += (uint8_t)*c == BLOCK_FULL ? 2 : *c != ' ';
    }
    unsigned pixels = 0;
    for (unsigned i = 0; i < 16; i++)
        pixels += (unsigned)__builtin_popcount(font_glyph(&fonts[0], 'L')[i]);
    assert_int_equal(set, pixels); /* a capital fits into the rows */
    screen_row_text(4, row);
    assert_string_equal(row, "\x80\x80");
}

static void without_a_screen_nothing_happens(void **state)
{
    char row[SCREEN_COLUMNS_MAX + 1];

    (void)state;
    screen_detach();
    screen_put(0, 0, STYLE_TEXT, "nobody sees this");
    screen_draw();
    assert_false(screen_is_on());
    screen_row_text(0, row);
    assert_null(strstr(row, "nobody"));
}

static void last_words_are_wrapped_and_bounded(void **state)
{
    struct boot_framebuffer fb = framebuffer(BOOT_PIXELS_BGRX, 640, 480, 0);
    char row[SCREEN_COLUMNS_MAX + 1], line[100];

    (void)state;
    make_memory(&fb);
    screen_attach(&fb, memory);
    screen_put(7, 0, STYLE_TEXT, "of a run");
    last_words_write("not yet\n", 8);
    last_words_begin("The end");
    screen_row_text(7, row);
    assert_string_equal(row, "");
    memset(line, 'x', 90);
    line[90] = '\n';
    last_words_write("\n# PANIC\n", 9);
    last_words_write(line, 91);
    screen_row_text(0, row);
    assert_string_equal(row, " The end");
    assert_row(&fb, 2, "# PANIC", 0xc8ccd0, 0x101418); /* drawn at once */
    screen_row_text(4, row);
    assert_string_equal(row, "xxxxxxxxxx");
    for (unsigned i = 0; i < 100; i++)
        last_words_write("more\n", 5);
    screen_row_text(27, row);
    assert_string_equal(row, "more");
    screen_row_text(28, row);
    assert_string_equal(row, " The rest is on the serial port only.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_size_and_stride),
        cmocka_unit_test(only_what_has_changed_is_drawn),
        cmocka_unit_test(sixteen_bits),
        cmocka_unit_test(what_cannot_be_drawn_is_refused),
        cmocka_unit_test(big_letters_are_the_small_ones),
        cmocka_unit_test(last_words_are_wrapped_and_bounded),
        cmocka_unit_test(without_a_screen_nothing_happens),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    free(memory);
    return failed;
}

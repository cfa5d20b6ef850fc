/* SPDX-License-Identifier: MIT */
/* The QR code on a picture that has text on it, read back by zbarimg (Debian: zbar-tools). */
#include "tests/host/host_test.h"

#include <stdbool.h>
#include <unistd.h>

#include "boot/boot_info.h"
#include "boot/qr.h"
#include "kernel/console/geometry.h"

#define GARBAGE 0x35
#define EXTRA   24 /* pixels of a line that are not seen */

static uint8_t *memory;
static char found[8192];

static struct boot_framebuffer picture(bool words, uint32_t width, uint32_t height)
{
    struct boot_framebuffer fb = {
        .base = 0x1000,
        .bytes = (uint64_t)(width + EXTRA) * height * (words ? 2 : 4),
        .width = width,
        .height = height,
        .stride = width + EXTRA,
        .format = words ? BOOT_PIXELS_MASK : BOOT_PIXELS_RGBX,
        .drawn = 1,
    };

    if (words) {
        fb.red_mask = 0xf800;
        fb.green_mask = 0x7e0;
        fb.blue_mask = 0x1f;
    }
    free(memory);
    memory = malloc(fb.bytes);
    memset(memory, GARBAGE, fb.bytes);
    return fb;
}

/* A title across, then rows of which no one is as long as `columns`. */
static void put_text(struct boot_framebuffer *fb, unsigned columns)
{
    struct screen_geometry g = screen_geometry(fb->width, fb->height);

    for (unsigned row = 0; row < g.rows; row++)
        fb->row_ends[row] = (uint8_t)(row == 0 ? g.columns : columns - row % 7);
}

static uint32_t pixel(const struct boot_framebuffer *fb, uint32_t x, uint32_t y)
{
    unsigned bytes = fb->format == BOOT_PIXELS_MASK ? 2 : 4;
    uint32_t value = 0;

    memcpy(&value, memory + ((uint64_t)y * fb->stride + x) * bytes, bytes);
    return value;
}

/* Black, white and what was there before: by the format's own numbers. */
static int level(const struct boot_framebuffer *fb, uint32_t value)
{
    bool words = fb->format == BOOT_PIXELS_MASK;

    if (value == (words ? 0xffffu : 0xffffffu))
        return 255;
    if (value == 0)
        return 0;
    assert_int_equal(value, words ? 0x3535u : 0x35353535u);
    return 100;
}

static void assert_text_untouched(const struct boot_framebuffer *fb)
{
    struct screen_geometry g = screen_geometry(fb->width, fb->height);

    for (uint32_t y = 0; y < fb->height; y++) {
        unsigned row = y < g.top ? 0 : (y - g.top) / g.height;
        uint32_t end =
            row + SCREEN_LOADER_ROWS >= g.rows ? fb->stride : g.left + fb->row_ends[row] * g.width;

        for (uint32_t x = 0; x < fb->stride; x++) {
            if (x < end || x >= fb->width)
                assert_int_equal(level(fb, pixel(fb, x, y)), 100);
        }
    }
}

/*
 * zbarimg reads mirrored codes too, many telephones do not. The module in column 8 and the row
 * above the lower left finder pattern is black in every code; its mirror image is not.
 */
static void assert_not_mirrored(const struct boot_framebuffer *fb)
{
    uint32_t left = 0, top = 0, side = 0, quiet = 0;

    while (level(fb, pixel(fb, left, top)) != 255) {
        if (++left == fb->width) {
            left = 0;
            top++;
        }
    }
    while (left + side < fb->width && level(fb, pixel(fb, left + side, top)) == 255)
        side++;
    while (level(fb, pixel(fb, left + quiet, top + quiet)) == 255)
        quiet++;
    uint32_t module = quiet / 4;
    assert_int_equal(quiet % 4, 0);
    assert_int_equal(side % module, 0);
    assert_in_range(module, 2, side);
    assert_int_equal(level(fb, pixel(fb, left + 12 * module, top + side - 12 * module)), 0);
}

/* What zbarimg reads on the picture goes to `found`. */
static void decode(const struct boot_framebuffer *fb)
{
    char path[] = "/tmp/test_qr.XXXXXX", command[128];
    int descriptor = mkstemp(path);
    FILE *file = fdopen(descriptor, "wb");

    assert_non_null(file);
    fprintf(file, "P5\n%u %u\n255\n", fb->width, fb->height);
    for (uint32_t y = 0; y < fb->height; y++) {
        for (uint32_t x = 0; x < fb->width; x++)
            fputc(level(fb, pixel(fb, x, y)), file);
    }
    fclose(file);
    snprintf(command, sizeof command,
             "zbarimg --nodbus --quiet --raw --oneshot -Sdisable -Sqrcode.enable -Sbinary pgm:%s",
             path);
    FILE *reader = popen(command, "r");
    assert_non_null(reader);
    found[fread(found, 1, sizeof found - 1, reader)] = '\0';
    int status = pclose(reader);
    unlink(path);
    assert_int_equal(status, 0);
}

static void fill(char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        text[i] = i % 40 == 39 ? '\n' : (char)(' ' + i * 7 % 95);
    text[bytes] = '\0';
}

static void what_is_drawn_is_read(void **state)
{
    static const struct {
        uint32_t width, height;
        unsigned columns; /* of text */
        size_t room;      /* at least so much is whole */
    } screens[] = {
        { 1280, 800, 100, 1273 },                        /* of version 25, at level L */
        { 1280, 800, 10, 1273 },                         /* wider than high */
        { 640, 480, 50, 400 },    { 640, 480, 65, 192 }, /* of version 8 */
        { 3840, 2160, 100, 350 },
    };
    static const size_t lengths[] = { 1, 192, 350, 1273, 4000 };
    char text[4001];

    (void)state;
    for (unsigned i = 0; i < sizeof screens / sizeof screens[0]; i++) {
        for (unsigned j = 0; j < 2 * sizeof lengths / sizeof lengths[0]; j++) {
            size_t length = lengths[j / 2];
            struct boot_framebuffer fb = picture(j % 2, screens[i].width, screens[i].height);

            fill(text, length);
            put_text(&fb, screens[i].columns);
            size_t bytes = qr_draw(&fb, memory, text);
            if (length <= screens[i].room)
                assert_int_equal(bytes, length);
            assert_in_range(bytes, 1, length);
            assert_text_untouched(&fb);
            assert_not_mirrored(&fb);
            decode(&fb);
            assert_int_equal(strlen(found), bytes);
            assert_memory_equal(found, text, bytes);
        }
    }
}

static void assert_nothing_drawn(const struct boot_framebuffer *fb)
{
    for (uint64_t i = 0; i < fb->bytes; i++)
        assert_int_equal(memory[i], GARBAGE);
}

static void without_room_nothing_is_drawn(void **state)
{
    struct boot_framebuffer fb = picture(false, 1280, 800);

    (void)state;
    put_text(&fb, 155);
    assert_int_equal(qr_draw(&fb, memory, "no room"), 0);
    put_text(&fb, 255); /* beyond the right edge: written by a kernel that ran wild */
    assert_int_equal(qr_draw(&fb, memory, "no room"), 0);
    put_text(&fb, 80);
    assert_int_equal(qr_draw(&fb, memory, ""), 0);
    fb.drawn = 0; /* the firmware's picture: nobody knows where its text is */
    assert_int_equal(qr_draw(&fb, memory, "somebody else's"), 0);
    fb.drawn = 1;
    fb.format = BOOT_PIXELS_NONE;
    assert_int_equal(qr_draw(&fb, memory, "no framebuffer"), 0);
    assert_nothing_drawn(&fb);
    struct boot_framebuffer small = picture(false, 64, 64);
    assert_int_equal(qr_draw(&small, memory, "fewer rows than the loader's"), 0);
    assert_nothing_drawn(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_drawn_is_read),
        cmocka_unit_test(without_room_nothing_is_drawn),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    free(memory);
    return failed;
}

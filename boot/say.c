/* SPDX-License-Identifier: MIT */
#include "boot/say.h"

#include <stdarg.h>
#include <stdbool.h>

#include "boot/firmware.h"
#include "boot/screen_lines.h"
#include "kernel/console/serial.h"
#include "kernel/exit.h"
#include "kernel/lib/fmt.h"
#include "kernel/lib/string.h"

#define LINE         512
#define POLL_US      50000
#define BAIL_SECONDS 10

/* Not through the firmware: its console may be the same port, and adds escape sequences. */
static void serial_text(const char *text)
{
    static bool ready;

    if (!ready)
        serial_init();
    ready = true;
    serial_write(text, strlen(text));
}

/* Once the kernel has drawn on the screen its console is that picture and the serial port. */
static void console_text(const char *text)
{
    CHAR16 wide[2 * LINE];
    size_t n = 0;

    if (screen_lines_write(text)) {
        serial_text(text);
        return;
    }
    if (!firmware.table->ConOut)
        return;
    for (; *text && n + 2 < sizeof(wide) / sizeof(wide[0]); text++) {
        if (*text == '\n')
            wide[n++] = '\r';
        wide[n++] = (CHAR16)*text;
    }
    wide[n] = 0;
    firmware.table->ConOut->OutputString(firmware.table->ConOut, wide);
}

void say(const char *fmt, ...)
{
    char text[LINE];
    va_list args;

    va_start(args, fmt);
    fmt_vprint(text, sizeof(text), fmt, args);
    va_end(args);
    console_text(text);
}

void say_long(const char *text)
{
    char piece[LINE];

    while (*text) {
        size_t n = 0;

        while (*text && n + 1 < sizeof(piece))
            piece[n++] = *text++;
        piece[n] = '\0';
        console_text(piece);
    }
}

void say_for_sure(const char *text)
{
    if (!screen_lines_write(text))
        console_text(text);
    serial_text(text);
}

void bail(EFI_STATUS status, const char *fmt, ...)
{
    char text[LINE];
    va_list args;

    va_start(args, fmt);
    fmt_vprint(text, sizeof(text), fmt, args);
    va_end(args);

    say("\nCrossmod: %s\n", text);
    serial_text("\r\nBail out! ");
    serial_text(text);
    serial_text("\r\n");
    if (exit_is_qemu())
        exit_now(EXIT_ERROR);

    say("Press any key to return to the firmware.\n");
    wait_key(BAIL_SECONDS);
    firmware.services->Exit(firmware.image, status, 0, NULL);
    __builtin_unreachable(); /* Exit() fails only for another image's handle */
}

CHAR16 wait_key(unsigned seconds)
{
    SIMPLE_INPUT_INTERFACE *keys = firmware.table->ConIn;
    EFI_INPUT_KEY key;

    if (keys)
        keys->Reset(keys, FALSE); /* drop what was typed before the question */
    for (uint64_t us = 0; seconds == 0 || us < seconds * 1000000ull; us += POLL_US) {
        if (keys && !EFI_ERROR(keys->ReadKeyStroke(keys, &key)))
            return key.UnicodeChar ? key.UnicodeChar : 1;
        firmware.services->Stall(POLL_US);
    }
    return 0;
}

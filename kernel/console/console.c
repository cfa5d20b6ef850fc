/* SPDX-License-Identifier: MIT */
#include "kernel/console/console.h"

#include <stdint.h>

#include "boot/boot_info.h"
#include "kernel/console/last_words.h"
#include "kernel/console/serial.h"
#include "kernel/cpu/regs.h"
#include "kernel/exit.h"
#include "kernel/lib/string.h"

#define PORT_DEBUG_CONSOLE 0xe9

/* The loader's buffers, reached through the direct map. */
struct sink {
    struct boot_text *text;
    char *bytes;
};

static struct sink tap_sink, json_sink;

void console_init(void)
{
    serial_init();
}

static void sink_attach(struct sink *s, struct boot_text *text, char *bytes)
{
    s->text = text;
    s->bytes = bytes;
}

void console_attach_report(struct boot_text *tap, char *tap_bytes, struct boot_text *json,
                           char *json_bytes)
{
    sink_attach(&tap_sink, tap, tap_bytes);
    sink_attach(&json_sink, json, json_bytes);
}

static void sink_write(struct sink *s, const char *text, size_t bytes)
{
    if (!s->text)
        return;
    uint64_t room = s->text->capacity - s->text->used;
    if (bytes > room || s->text->lost) {
        /* What is kept is a beginning, without holes: a report without its end says so itself. */
        s->text->lost += bytes;
        return;
    }
    memcpy(s->bytes + s->text->used, text, bytes);
    s->text->used += bytes;
}

void con_write(const char *text, size_t bytes)
{
    serial_write(text, bytes);
    sink_write(&tap_sink, text, bytes);
    last_words_write(text, bytes);
}

void json_out(const char *text, size_t bytes)
{
    if (exit_is_qemu()) {
        for (size_t i = 0; i < bytes; i++)
            outb(PORT_DEBUG_CONSOLE, (uint8_t)text[i]);
    }
    sink_write(&json_sink, text, bytes);
}

/* SPDX-License-Identifier: MIT */
/*
 * Where text goes. Two streams: the TAP stream for people and `prove` (serial port and the report's
 * tap buffer), and the JSON stream, one object per line (QEMU's debug console and the report's json
 * buffer). Nothing is written here inside a race or a measured section.
 */
#ifndef KERNEL_CONSOLE_CONSOLE_H
#define KERNEL_CONSOLE_CONSOLE_H

#include <stdarg.h>
#include <stddef.h>

struct boot_text;

/* Start the serial port (COM1, 115200n8; every wait is bounded, an absent port is noticed). */
void console_init(void);

/*
 * From now on both streams are also kept in the loader's buffers: `tap` and `json` count what is
 * used, the bytes go to `tap_bytes` and `json_bytes` (mapped, `capacity` bytes each). A write that
 * does not fit is lost, and everything after it too; the bytes lost are counted.
 */
void console_attach_report(struct boot_text *tap, char *tap_bytes, struct boot_text *json,
                           char *json_bytes);

/*
 * Formatted text to the TAP stream; the caller ends lines with \n. Lines up to 1 KiB (longer ones
 * are cut and end in "..."). Any context; one caller at a time is not enforced: while other cores
 * run, only the core that runs the plan prints, and a panic prints after it has stopped the others.
 */
__attribute__((format(printf, 1, 2))) void con_printf(const char *fmt, ...);
void con_write(const char *text, size_t bytes);

/* Raw bytes to the JSON stream. Whole lines only. */
void json_out(const char *text, size_t bytes);

#endif

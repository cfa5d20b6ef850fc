/* SPDX-License-Identifier: MIT */
#include "kernel/console/console.h"

#include "kernel/lib/fmt.h"
#include "kernel/lib/string.h"

#define LINE_MAX 1024

void con_printf(const char *fmt, ...)
{
    char line[LINE_MAX];
    va_list args;

    va_start(args, fmt);
    int length = fmt_vprint(line, sizeof line, fmt, args);
    va_end(args);
    if (length >= (int)sizeof line) {
        memcpy(line + sizeof line - 5, "...\n", 4);
        length = sizeof line - 1;
    }
    con_write(line, (size_t)length);
}

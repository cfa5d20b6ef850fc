/* SPDX-License-Identifier: MIT */
/* Standard output, and the two files of the report in the working directory. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hosted/hosted.h"
#include "kernel/console/console.h"
#include "kernel/lib/fmt.h"

#define LINE_MAX 1024

static int tap = -1, json = -1;

static int open_file(const char *name)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

    if (fd < 0)
        fprintf(stderr, "crossmod: cannot write %s here: %s; the report is on standard output\n",
                name, strerror(errno));
    return fd;
}

void console_open_files(void)
{
    tap = open_file("crossmod.tap");
    json = open_file("crossmod.jsonl");
}

static void write_all(int fd, const char *text, size_t bytes)
{
    while (fd >= 0 && bytes) {
        ssize_t n = write(fd, text, bytes);

        if (n < 0 && errno != EINTR)
            return; /* a full disk or a closed pipe: the verdict is the exit code too */
        if (n > 0) {
            text += n;
            bytes -= (size_t)n;
        }
    }
}

void con_write(const char *text, size_t bytes)
{
    write_all(STDOUT_FILENO, text, bytes);
    write_all(tap, text, bytes);
}

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

void json_out(const char *text, size_t bytes)
{
    write_all(json, text, bytes);
}

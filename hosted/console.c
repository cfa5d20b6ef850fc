/* SPDX-License-Identifier: MIT */
/* Standard output, and the two files of the report in the working directory. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "hosted/hosted.h"
#include "kernel/console/console.h"
#include "kernel/lib/fmt.h"

#define LINE_MAX 1024

/* A stream that once refused a byte gets no more: what it holds is cut, never holed. */
struct stream {
    const char *name;
    int fd; /* -1: none, or given up */
};

static struct stream output = { "standard output", STDOUT_FILENO }, tap = { "crossmod.tap", -1 },
                     json = { "crossmod.jsonl", -1 };

void console_say(const char *fmt, ...)
{
    char line[LINE_MAX];
    va_list args;

    va_start(args, fmt);
    int length = fmt_vprint(line, sizeof line, fmt, args);
    va_end(args);
    if (write(STDERR_FILENO, line, (size_t)length) < 0)
        return; /* there is nobody left to tell */
}

static void complain(const struct stream *stream)
{
    console_say("crossmod: cannot write %s: %s\n", stream->name, strerrordesc_np(errno));
}

static void open_file(struct stream *stream)
{
    stream->fd = open(stream->name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (stream->fd < 0)
        complain(stream);
}

void console_open_files(void)
{
    open_file(&tap);
    open_file(&json);
}

static void write_all(struct stream *stream, const char *text, size_t bytes)
{
    while (stream->fd >= 0 && bytes) {
        ssize_t n = write(stream->fd, text, bytes);

        if (n > 0) {
            text += n;
            bytes -= (size_t)n;
        } else if (n == 0 || errno != EINTR) { /* a full disk, a closed pipe */
            complain(stream);
            stream->fd = -1;
        }
    }
}

bool console_is_whole(void)
{
    return output.fd >= 0 || tap.fd >= 0;
}

void con_write(const char *text, size_t bytes)
{
    write_all(&output, text, bytes);
    write_all(&tap, text, bytes);
}

void json_out(const char *text, size_t bytes)
{
    write_all(&json, text, bytes);
}

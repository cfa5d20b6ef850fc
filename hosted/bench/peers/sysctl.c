/* SPDX-License-Identifier: MIT */
/*
 * A process of its own, the keeper, holds the value that was found. It waits for the end of a pipe
 * whose other end this process alone has: the end comes when this one closes it or ends in any way,
 * SIGKILL among them, after its last write. Signals that a terminal sends do not reach the keeper.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hosted/bench/peers/peers.h"

static const char *name;
static int file = -1, keeper_pipe = -1;
static pid_t keeper;
static char values[2][32]; /* as it was found, and the other */
static unsigned current;   /* which of them the file has */

static bool put(const char *value)
{
    size_t len = strlen(value);

    return pwrite(file, value, len, 0) == (ssize_t)len;
}

static bool has(const char *value)
{
    char now[sizeof values[0]];
    ssize_t len = pread(file, now, sizeof now, 0);

    return len == (ssize_t)strlen(value) && memcmp(now, value, (size_t)len) == 0;
}

static _Noreturn void keep(int closed)
{
    char byte;

    setsid();
    while (read(closed, &byte, 1) < 0 && errno == EINTR)
        ;
    _exit(put(values[0]) && has(values[0]) ? 0 : 1);
}

static bool start_keeper(void)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    keeper = fork();
    if (keeper == 0) {
        close(ends[1]);
        keep(ends[0]);
    }
    close(ends[0]);
    keeper_pipe = ends[1];
    return keeper > 0;
}

/* A number, and a line end behind it. */
static bool read_value(void)
{
    char *end;
    ssize_t len = pread(file, values[0], sizeof values[0] - 1, 0);

    if (len <= 0)
        return false;
    values[0][len] = '\0';
    long number = strtol(values[0], &end, 10);
    snprintf(values[1], sizeof values[1], "%d\n", number == 0);
    return strcmp(end, "\n") == 0;
}

const char *sysctl_open(char *const *files)
{
    const char *why = "the kernel has none of the files that were named";

    for (; *files; files++) {
        name = *files;
        file = open(name, O_RDWR | O_CLOEXEC);
        /* Another one that runs, or its keeper, puts the value back first. */
        if (file >= 0 && flock(file, LOCK_EX) == 0 && read_value())
            return start_keeper() ? NULL : "a process that puts the value back cannot be started";
        if (errno == EACCES || errno == EPERM || errno == EROFS)
            why = "a sysctl may not be written: it needs root";
        if (file >= 0)
            close(file);
    }
    return why;
}

const char *sysctl_name(void)
{
    return name;
}

static void write_or_die(const char *value)
{
    if (put(value))
        return;
    fprintf(stderr, "bench-peers: %s: %s\n", name, strerror(errno));
    _exit(3); /* the keeper puts the value back */
}

void sysctl_same(void)
{
    write_or_die(values[current]);
}

void sysctl_flip(void)
{
    current = !current;
    write_or_die(values[current]);
}

bool sysctl_close(void)
{
    int status;

    close(keeper_pipe);
    while (waitpid(keeper, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    return status == 0;
}

/* SPDX-License-Identifier: MIT */
/* What this process may do. Linux decides by kernel, container and whoever traces it. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hosted/hosted.h"
#include "kernel/cpu/regs.h"

static long membarrier(int command)
{
    return syscall(SYS_membarrier, command, 0, 0);
}

bool limits_membarrier(char *error, size_t size)
{
    long has = membarrier(MEMBARRIER_CMD_QUERY);

    if (has < 0) {
        snprintf(error, size,
                 "membarrier(2): %s; a core sync needs it (Linux 4.16, no seccomp "
                 "filter against it)",
                 strerror(errno));
        return false;
    }
    if (!(has & MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE)) {
        snprintf(error, size,
                 "this kernel's membarrier(2) has no core sync: it needs Linux 4.16 "
                 "with CONFIG_MEMBARRIER");
        return false;
    }
    if (membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE) != 0) {
        snprintf(error, size, "membarrier(2) refuses the registration: %s", strerror(errno));
        return false;
    }
    return true;
}

unsigned limits_processors(int *out, unsigned max)
{
    unsigned count = 0;
    cpu_set_t *set;
    int possible = (int)sysconf(_SC_NPROCESSORS_CONF);
    int bits = possible < CPU_SETSIZE ? CPU_SETSIZE : possible;
    size_t bytes = CPU_ALLOC_SIZE(bits);

    set = CPU_ALLOC(bits);
    bool known = set && sched_getaffinity(0, bytes, set) == 0;
    for (int i = 0; known && i < bits && count < max; i++)
        if (CPU_ISSET_S(i, bytes, set))
            out[count++] = i;
    CPU_FREE(set);
    return count;
}

/* ---- what does not end the run, but weighs ---- */

static char note[512], doubt[128];

__attribute__((format(printf, 1, 2))) static void add_note(const char *fmt, ...)
{
    size_t used = strlen(note);
    va_list args;

    if (used)
        used += (size_t)snprintf(note + used, sizeof note - used, "; ");
    va_start(args, fmt);
    vsnprintf(note + used, sizeof note - used, fmt, args);
    va_end(args);
}

/* The unsigned number that scanf's `format` finds in a line of a file, else 0. */
static unsigned find_number(const char *path, const char *format)
{
    char line[256];
    FILE *file = fopen(path, "re");
    unsigned number = 0;

    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, format, &number) == 1)
            break;
    if (file)
        fclose(file);
    return number;
}

/* Of the control group (version 2) that this process is in: microseconds per period, or false. */
static bool has_quota(unsigned long *quota, unsigned long *period)
{
    char path[256] = "", file[320];
    FILE *group = fopen("/proc/self/cgroup", "re");

    while (group && fgets(path, sizeof path, group) && strncmp(path, "0::/", 4) != 0)
        path[0] = '\0';
    if (group)
        fclose(group);
    if (!path[0])
        return false;
    path[strcspn(path, "\n")] = '\0';
    snprintf(file, sizeof file, "/sys/fs/cgroup%s/cpu.max", path + 3);
    FILE *max = fopen(file, "re");
    bool found = max && fscanf(max, "%lu %lu", quota, period) == 2; /* else "max 100000" */
    if (max)
        fclose(max);
    return found;
}

void limits_look(unsigned processors, bool chosen)
{
    unsigned long quota, period;

    if (processors == 1 && !chosen)
        add_note("this process may run on one processor only: nothing runs while it patches");
    if (find_number("/proc/self/status", "TracerPid: %u")) {
        add_note("a tracer is attached: it sees every #BP first, and decides when a thread runs");
        snprintf(doubt, sizeof doubt, "traced");
    }
    if (has_quota(&quota, &period)) {
        add_note("the control group's quota stops the threads: %lu us of processor time in %lu us",
                 quota, period);
        snprintf(doubt, sizeof doubt, "%squota of processor time", doubt[0] ? "traced, " : "");
    }
}

const char *limits_note(void)
{
    return note[0] ? note : NULL;
}

const char *limits_doubt(void)
{
    return doubt[0] ? doubt : NULL;
}

uint64_t rdmsr(uint32_t msr)
{
    return msr == MSR_MICROCODE ? find_number("/proc/cpuinfo", "microcode : %x")
                                : privileged_rdmsr(msr);
}

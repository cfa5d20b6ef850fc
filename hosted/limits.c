/* SPDX-License-Identifier: MIT */
/* What this process may do. Linux decides by kernel, container and whoever traces it. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hosted/hosted.h"

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
    if (!set || sched_getaffinity(0, bytes, set) != 0)
        CPU_ZERO_S(bytes, set);
    for (int i = 0; i < bits && count < max; i++)
        if (CPU_ISSET_S(i, bytes, set))
            out[count++] = i;
    CPU_FREE(set);
    return count;
}

const char *limits_note(void)
{
    char line[128];
    FILE *status = fopen("/proc/self/status", "re");
    int tracer = 0;

    while (status && fgets(line, sizeof line, status))
        sscanf(line, "TracerPid: %d", &tracer);
    if (status)
        fclose(status);
    return tracer ? "a tracer is attached: it sees every #BP first, so nothing here is timed"
                  : NULL;
}

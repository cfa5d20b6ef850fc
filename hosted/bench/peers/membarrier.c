/* SPDX-License-Identifier: MIT */
/* The core sync of membarrier(2) alone: what a patch in a process cannot do without. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hosted/bench/peers/peers.h"

static bool call(int command)
{
    return syscall(SYS_membarrier, command, 0, 0) == 0;
}

const char *membarrier_open(void)
{
    return call(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE)
               ? NULL
               : "membarrier(2) has no core sync here: it needs Linux 4.16";
}

void membarrier_once(void)
{
    if (call(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE))
        return;
    fprintf(stderr, "bench-peers: membarrier(2): %s\n", strerror(errno));
    _exit(3);
}

void membarrier_thrice(void)
{
    for (unsigned i = 0; i < 3; i++)
        membarrier_once();
}

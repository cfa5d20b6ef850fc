/* SPDX-License-Identifier: MIT */
/* Calls of Linux for what only a process measures: tests/ is built without a C library. */
#ifndef TESTS_LATENCY_LINUX_CALL_H
#define TESTS_LATENCY_LINUX_CALL_H

#ifndef CROSSMOD_HOSTED
#error "only in a process"
#endif

#define LINUX_NANOSLEEP  35
#define LINUX_MEMBARRIER 324
#define LINUX_SYNC_CORE  32 /* MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE */

static inline long linux_call(long number, long a, long b, long c)
{
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return result;
}

/* The process is registered for it (hosted/limits.c). */
static inline void linux_membarrier(void)
{
    linux_call(LINUX_MEMBARRIER, LINUX_SYNC_CORE, 0, 0);
}

#endif

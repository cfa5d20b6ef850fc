/* SPDX-License-Identifier: MIT */
/* The counters of a process: Linux has them, perf_event_open(2) asks for this thread's. */
#define _GNU_SOURCE
#include "kernel/cpu/pmu.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *reason_of(int error)
{
    switch (error) {
    case ENOENT:
    case ENODEV:
    case EOPNOTSUPP:
        return "perf_event_open: ENOENT, Linux has no performance counters of this processor";
    case EACCES:
    case EPERM:
        return "perf_event_open: EACCES, this process may not count "
               "(kernel.perf_event_paranoid, or the container)";
    case ENOSYS:
        return "perf_event_open: ENOSYS, this Linux does not have it, or a filter hides it";
    case EBUSY:
        return "perf_event_open: EBUSY, the counters belong to somebody else";
    default:
        return "perf_event_open failed";
    }
}

/* This thread, user mode, on a counter of its own or not at all: nothing is extrapolated. */
static int open_event(const struct pmu_event *event)
{
    struct perf_event_attr attr = { .type = PERF_TYPE_RAW,
                                    .size = sizeof attr,
                                    .config = (uint64_t)event->umask << 8 | event->event,
                                    .pinned = 1,
                                    .exclude_kernel = 1,
                                    .exclude_hv = 1 };

    return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

/* A pinned event that did not get a counter reads as end of file. */
static bool read_event(int fd, uint64_t *value)
{
    return read(fd, value, sizeof *value) == (ssize_t)sizeof *value;
}

/* NULL, or why not. */
static const char *check(void)
{
    uint64_t values[3];
    int fd = open_event(&pmu_instructions);

    if (fd < 0)
        return reason_of(errno);
    bool known = read_event(fd, &values[0]) && read_event(fd, &values[1]);

    pmu_retire();
    known = known && read_event(fd, &values[2]) &&
            pmu_is_counting(values[1] - values[0], values[2] - values[1]);
    close(fd);
    return known ? NULL : PMU_NOT_COUNTING;
}

void pmu_open(struct pmu *pmu)
{
    struct pmu_cpuid id = pmu_cpuid();

    *pmu = (struct pmu){ .events = pmu_find_events(&id) };
    pmu->reason = pmu->events ? check() : PMU_NO_EVENTS;
    while (!pmu->reason && pmu->count < PMU_EVENTS) {
        int fd = open_event(&pmu->events[pmu->count]);

        if (fd < 0)
            break;
        pmu->handles[pmu->count++] = fd;
        if (!read_event(fd, &pmu->sum[pmu->count - 1])) {
            close(pmu->handles[--pmu->count]);
            errno = EBUSY;
            break;
        }
    }
    if (!pmu->reason && pmu->count == 0)
        pmu->reason = reason_of(errno);
}

void pmu_read(struct pmu *pmu)
{
    for (unsigned i = 0; i < pmu->count; i++) {
        if (!read_event(pmu->handles[i], &pmu->sum[i])) {
            pmu_close(pmu);
            pmu->reason = "the operating system took a counter away";
        }
    }
}

void pmu_close(struct pmu *pmu)
{
    while (pmu->count > 0)
        close(pmu->handles[--pmu->count]);
}

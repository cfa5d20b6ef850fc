/* SPDX-License-Identifier: MIT */
/*
 * The counters of a process (hosted/pmu.c). Linux answers with a software event, the thread's page
 * faults, where a processor's was asked for: so the real system calls are made and read on any
 * machine, and what is counted is known.
 */
#include "tests/host/host_test.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel/cpu/pmu.h"
#include "tests/host/fake_pmu.h"

#define FAULTS 20000u /* more than the instructions that pmu_open() waits for */

static struct {
    int error;           /* that perf_event_open fails with; 0: it does not */
    unsigned error_from; /* at this call and behind it, from 1 */
    bool stands_still;   /* a software event that never comes */
    unsigned calls;
    uint64_t configs[8];
    struct perf_event_attr last;
} linux_;

long __wrap_syscall(long number, struct perf_event_attr *attr, long pid, long cpu, long group,
                    long flags);
long __real_syscall(long number, ...);

long __wrap_syscall(long number, struct perf_event_attr *attr, long pid, long cpu, long group,
                    long flags)
{
    struct perf_event_attr software = *attr;

    assert_int_equal(number, SYS_perf_event_open);
    assert_int_equal((int)pid, 0);
    assert_int_equal((int)cpu, -1);
    linux_.configs[linux_.calls++ % 8] = attr->config;
    linux_.last = *attr;
    if (linux_.error && linux_.calls >= linux_.error_from) {
        errno = linux_.error;
        return -1;
    }
    software.type = PERF_TYPE_SOFTWARE;
    software.config = linux_.stands_still ? PERF_COUNT_SW_DUMMY : PERF_COUNT_SW_PAGE_FAULTS;
    return __real_syscall(number, &software, pid, cpu, group, flags);
}

/* What the software event counts instead of instructions: nothing else of this thread makes any. */
void __wrap_pmu_retire(void)
{
    volatile char *page =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(page, MAP_FAILED);
    for (unsigned i = 0; i < FAULTS; i++) {
        *page = 1;
        madvise((void *)page, 4096, MADV_DONTNEED);
    }
    munmap((void *)page, 4096);
}

static void reset(uint32_t leaf_1)
{
    memset(&linux_, 0, sizeof linux_);
    linux_.error_from = 1;
    fake_core = (struct fake_core){ .vendor = "GenuineIntel", .leaf_1_eax = leaf_1 };
}

#define ICE_LAKE_SERVER 0x000606a6
#define CORE_2          0x000006f6

static bool software_events_are_allowed(void)
{
    struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
                                    .size = sizeof attr,
                                    .config = PERF_COUNT_SW_PAGE_FAULTS,
                                    .exclude_kernel = 1,
                                    .exclude_hv = 1 };
    int fd = (int)__real_syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static void counts_of_this_thread_are_read(void **state)
{
    struct pmu pmu;
    uint64_t before;

    (void)state;
    if (!software_events_are_allowed())
        skip();
    reset(ICE_LAKE_SERVER);
    pmu_open(&pmu);
    assert_null(pmu.reason);
    assert_int_equal(pmu.count, 2);
    assert_int_equal(linux_.calls, 3);
    assert_int_equal(linux_.configs[0], 0x00c0);
    assert_int_equal(linux_.configs[1], 0x04c3);
    assert_int_equal(linux_.configs[2], 0x02c3);
    assert_int_equal(linux_.last.type, PERF_TYPE_RAW);
    assert_true(linux_.last.exclude_kernel && linux_.last.exclude_hv && linux_.last.pinned);
    pmu_read(&pmu);
    before = pmu.sum[0];
    pmu_retire();
    pmu_read(&pmu);
    assert_in_range(pmu.sum[0] - before, FAULTS, FAULTS + 100);
    pmu_close(&pmu);
    assert_int_equal(pmu.count, 0);
}

static void expect_reason(const char *reason)
{
    struct pmu pmu;

    pmu_open(&pmu);
    assert_int_equal(pmu.count, 0);
    assert_non_null(strstr(pmu.reason, reason));
    pmu_read(&pmu);
    pmu_close(&pmu);
    assert_int_equal(pmu.sum[0], 0);
    assert_non_null(strstr(pmu.reason, reason));
}

static void what_linux_refuses_has_its_meaning(void **state)
{
    static const struct {
        int error;
        const char *reason;
    } errors[] = { { ENOENT, "ENOENT" }, { ENODEV, "ENOENT" }, { EACCES, "EACCES" },
                   { EPERM, "EACCES" },  { ENOSYS, "ENOSYS" }, { EBUSY, "EBUSY" },
                   { EMFILE, "failed" } };

    (void)state;
    for (unsigned i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        reset(ICE_LAKE_SERVER);
        linux_.error = errors[i].error;
        expect_reason(errors[i].reason);
    }
    if (!software_events_are_allowed())
        return;
    reset(ICE_LAKE_SERVER);
    linux_.error = ENOENT;
    linux_.error_from = 2; /* instructions can be counted, the events not */
    expect_reason("ENOENT");
}

static void one_event_is_better_than_none(void **state)
{
    struct pmu pmu;

    (void)state;
    if (!software_events_are_allowed())
        skip();
    reset(ICE_LAKE_SERVER);
    linux_.error = ENOENT;
    linux_.error_from = 3;
    pmu_open(&pmu);
    assert_null(pmu.reason);
    assert_int_equal(pmu.count, 1);
    pmu_close(&pmu);
}

static void unknown_models_are_not_asked_for(void **state)
{
    (void)state;
    reset(CORE_2);
    expect_reason(PMU_NO_EVENTS);
    assert_int_equal(linux_.calls, 0);
}

static void a_counter_that_does_not_count_is_not_believed(void **state)
{
    (void)state;
    if (!software_events_are_allowed())
        skip();
    reset(ICE_LAKE_SERVER);
    linux_.stands_still = true;
    expect_reason(PMU_NOT_COUNTING);
}

static void a_counter_that_is_taken_away_is_missed(void **state)
{
    struct pmu pmu;

    (void)state;
    if (!software_events_are_allowed())
        skip();
    reset(ICE_LAKE_SERVER);
    pmu_open(&pmu);
    assert_int_equal(pmu.count, 2);
    int nothing = open("/dev/null", O_RDONLY); /* reads as a pinned event without a counter does */

    assert_true(nothing >= 0 && dup2(nothing, pmu.handles[1]) >= 0);
    close(nothing);
    pmu_read(&pmu);
    assert_int_equal(pmu.count, 0);
    assert_non_null(strstr(pmu.reason, "took a counter away"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_of_this_thread_are_read),
        cmocka_unit_test(what_linux_refuses_has_its_meaning),
        cmocka_unit_test(one_event_is_better_than_none),
        cmocka_unit_test(unknown_models_are_not_asked_for),
        cmocka_unit_test(a_counter_that_does_not_count_is_not_believed),
        cmocka_unit_test(a_counter_that_is_taken_away_is_missed),
    };

    return cmocka_run_group_tests_name("pmu_process", tests, NULL, NULL);
}

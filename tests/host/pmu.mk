# SPDX-License-Identifier: MIT
# Host tests of the performance counters: kernel/cpu/pmu.c and hosted/pmu.c, compiled as they are,
# with the registers of a simulated core. Included by tests/host/host.mk.

PMU_HOST_SRC   := kernel/cpu/pmu_events.c tests/host/fake_pmu.c
PMU_HOST_FLAGS := -iquote tests/host/pmu_include -Wl,--wrap=pmu_retire

test_pmu_SRC     := kernel/cpu/pmu.c $(PMU_HOST_SRC)
test_pmu_FLAGS   := $(PMU_HOST_FLAGS)
test_pmu_TWINNED := kernel/cpu/pmu.c
test_pmu_TWINS   := \
    tests/host/twins/counter_kept.c \
    tests/host/twins/counter_stolen.c \
    tests/host/twins/not_enabled.c \
    tests/host/twins/unchecked.c

test_pmu_process_SRC   := hosted/pmu.c $(PMU_HOST_SRC)
test_pmu_process_FLAGS := $(PMU_HOST_FLAGS) -Wl,--wrap=syscall

/* SPDX-License-Identifier: MIT */
/*
 * The counters by their model-specific registers. A hypervisor may refuse any of them whatever
 * CPUID says, so all accesses are recovered from. Counter values are not written, only compared:
 * what a counter of nobody's held does not matter.
 */
#include "kernel/cpu/pmu.h"

#include <stddef.h>

#include "kernel/trap/trap.h"

#define SELECT_KERNEL (1ull << 17)
#define SELECT_ENABLE (1ull << 22)

static void give_up(struct pmu *pmu, const char *reason)
{
    pmu->count = 0;
    pmu->reason = reason;
}

static void attempt(struct pmu *pmu, void (*access)(void *pmu))
{
    struct trap_caught caught;

    if (!trap_try(access, pmu, &caught))
        give_up(pmu, "access to the counters' model-specific registers is refused");
}

static uint32_t msr_of(const struct pmu *pmu, uint32_t first, unsigned i)
{
    return first + (uint32_t)pmu->handles[i] * pmu->layout.step;
}

static uint64_t read_counter(const struct pmu *pmu, unsigned i)
{
    return rdmsr(msr_of(pmu, pmu->layout.counter, i));
}

/* ---- open ---- */

/* Counters that nobody has enabled. */
static void take_counters(struct pmu *pmu)
{
    for (unsigned n = 0; n < pmu->layout.counters && pmu->saved < PMU_EVENTS; n++) {
        uint64_t select = rdmsr(pmu->layout.select + n * pmu->layout.step);

        if (select & SELECT_ENABLE)
            continue;
        pmu->handles[pmu->saved] = (int)n;
        pmu->saved_select[pmu->saved++] = select;
    }
}

static void select_event(struct pmu *pmu, unsigned i, const struct pmu_event *event)
{
    wrmsr(msr_of(pmu, pmu->layout.select, i),
          SELECT_ENABLE | SELECT_KERNEL | (uint64_t)event->umask << 8 | event->event);
}

static void enable_counters(const struct pmu *pmu)
{
    uint64_t enabled = pmu->saved_global;

    for (unsigned i = 0; i < pmu->saved; i++)
        enabled |= 1ull << pmu->handles[i];
    if (pmu->layout.global)
        wrmsr(pmu->layout.global, enabled);
}

static bool is_counting(struct pmu *pmu, unsigned i)
{
    uint64_t values[3];

    select_event(pmu, i, &pmu_instructions);
    values[0] = read_counter(pmu, i);
    values[1] = read_counter(pmu, i);
    pmu_retire();
    values[2] = read_counter(pmu, i);
    return pmu_is_counting((values[1] - values[0]) & pmu->layout.mask,
                           (values[2] - values[1]) & pmu->layout.mask);
}

static void begin(void *arg)
{
    struct pmu *pmu = arg;

    if (pmu->layout.global)
        pmu->saved_global = rdmsr(pmu->layout.global);
    take_counters(pmu);
    if (pmu->saved == 0) {
        give_up(pmu, "all performance counters are in use");
        return;
    }
    enable_counters(pmu);
    for (unsigned i = 0; i < pmu->saved; i++) {
        if (!is_counting(pmu, i)) {
            give_up(pmu, PMU_NOT_COUNTING);
            return;
        }
    }
    for (unsigned i = 0; i < pmu->saved; i++) {
        select_event(pmu, i, &pmu->events[i]);
        pmu->last[i] = read_counter(pmu, i);
    }
    pmu->count = pmu->saved;
}

void pmu_open(struct pmu *pmu)
{
    struct pmu_cpuid id = pmu_cpuid();

    *pmu = (struct pmu){ .events = pmu_find_events(&id) };
    pmu->reason = pmu_find_counters(&id, &pmu->layout);
    if (!pmu->reason && !pmu->events)
        pmu->reason = PMU_NO_EVENTS;
    if (pmu->reason)
        return;
    attempt(pmu, begin);
    if (pmu->count == 0)
        pmu_close(pmu);
}

/* ---- read, close ---- */

static void add(void *arg)
{
    struct pmu *pmu = arg;

    for (unsigned i = 0; i < pmu->count; i++) {
        uint64_t value = read_counter(pmu, i);

        pmu->sum[i] += (value - pmu->last[i]) & pmu->layout.mask;
        pmu->last[i] = value;
    }
}

void pmu_read(struct pmu *pmu)
{
    attempt(pmu, add);
}

static void restore(void *arg)
{
    struct pmu *pmu = arg;

    while (pmu->saved > 0) {
        pmu->saved--;
        wrmsr(msr_of(pmu, pmu->layout.select, pmu->saved), pmu->saved_select[pmu->saved]);
    }
    if (pmu->layout.global)
        wrmsr(pmu->layout.global, pmu->saved_global);
}

void pmu_close(struct pmu *pmu)
{
    const char *reason = pmu->reason;

    pmu->count = 0;
    if (pmu->saved)
        attempt(pmu, restore);
    if (reason)
        pmu->reason = reason; /* the first one */
}

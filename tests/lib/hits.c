/* SPDX-License-Identifier: MIT */
#include "tests/lib/hits.h"

#include "kernel/mm/mm.h"
#include "smp/smp.h"

static struct pmu *pmus; /* by core */

static void open_here(void *arg)
{
    pmu_open(arg);
}

static void close_here(void *arg)
{
    pmu_close(arg);
}

static void read_here(void *arg)
{
    pmu_read(arg);
}

static void on_others(smp_work fn)
{
    for_each_online_cpu (i) {
        if (smp_start_work((unsigned)i, fn, &pmus[i]))
            smp_wait_work((unsigned)i);
    }
}

void hits_open(void)
{
    size_t bytes = smp_possible() * sizeof *pmus;

    if (!pmus)
        pmus = pages_alloc_virt((bytes + PAGE_SIZE - 1) / PAGE_SIZE);
    if (pmus)
        on_others(open_here);
}

void hits_close(void)
{
    if (pmus)
        on_others(close_here);
}

static struct hits sum_of(const struct pmu *pmu)
{
    struct hits h;

    for (unsigned i = 0; i < PMU_EVENTS; i++)
        h.of[i] = pmu->sum[i];
    return h;
}

struct hits hits_here(void)
{
    if (!pmus)
        return (struct hits){ 0 };
    pmu_read(&pmus[cpu_index()]);
    return sum_of(&pmus[cpu_index()]);
}

struct hits hits_of_others(void)
{
    struct hits sum = { 0 };

    if (!pmus)
        return sum;
    on_others(read_here);
    for_each_online_cpu (i) {
        struct hits h = sum_of(&pmus[i]);

        hits_add(&sum, &h);
    }
    return sum;
}

/* The core that counts least speaks for all. */
const struct pmu *hits_counters(int core)
{
    static const struct pmu none = { .reason = "no memory for the state of the counters" };
    const struct pmu *least = NULL;

    if (!pmus)
        return &none;
    if (core != HITS_OTHERS)
        return &pmus[core];
    for_each_online_cpu (i) {
        if ((unsigned)i != cpu_index() && (!least || pmus[i].count < least->count))
            least = &pmus[i];
    }
    return least ? least : &none;
}

void hits_record(struct json *j, int core)
{
    const struct pmu *pmu = hits_counters(core);

    json_object(j, "counters");
    json_bool(j, "read", pmu->count > 0);
    if (pmu->count == 0) {
        json_string(j, "reason", pmu->reason);
    } else {
        json_array(j, "events");
        for (unsigned i = 0; i < pmu->count; i++)
            json_string(j, NULL, pmu->events[i].name);
        json_array_end(j);
    }
    json_object_end(j);
}

void hits_record_counts(struct json *j, int core, const struct hits *h)
{
    const struct pmu *pmu = hits_counters(core);

    if (pmu->count == 0)
        return;
    json_object(j, "hits");
    for (unsigned i = 0; i < pmu->count; i++)
        json_uint(j, pmu->events[i].name, h->of[i]);
    json_object_end(j);
}

/* SPDX-License-Identifier: MIT */
#include "tests/errata/tear_race.h"

#include "kernel/time/time.h"
#include "smp/smp.h"

#define FAULTS_MAX 1000u

static bool is_over(const struct tear_race *race)
{
    return load_acquire(&race->over); /* pairs with the release in tear_race() */
}

static void steps(void *arg)
{
    struct tear_race *race = arg;

    while (!is_over(race)) {
        race->step(race->arg);
        if (race->yields)
            cpu_relax();
    }
}

static void note_fault(struct tear_race *race, const struct trap_caught *caught)
{
    if (race->faults++ == 0)
        race->fault = *caught;
    if (race->on_fault)
        race->on_fault(race->arg, caught);
}

static void reader_main(void *arg)
{
    struct tear_race *race = arg;
    struct store_vectors saved;
    struct trap_caught caught;
    struct hits before, after;

    sync_core();
    if (race->loads)
        store_vectors_begin(&saved, race->loads);
    before = hits_here();
    store_release(&race->running, 1); /* pairs with the acquire in tear_race() */
    while (!is_over(race) && race->faults < FAULTS_MAX) {
        if (trap_try(steps, race, &caught))
            continue;
        note_fault(race, &caught);
        if (race->yields)
            cpu_relax();
    }
    after = hits_here();
    race->hits = hits_between(&before, &after);
    if (race->loads)
        store_vectors_end(&saved);
}

bool tear_race(struct tear_race *race, unsigned core, struct writer *w, uint64_t ns)
{
    uint64_t begin;
    bool written = true;

    race->running = race->over = 0;
    race->faults = 0;
    if (!smp_start_work(core, reader_main, race))
        return false;
    while (!load_acquire(&race->running)) /* pairs with the release in reader_main() */
        cpu_relax();
    begin = rdtsc();
    if (w)
        written = writer_run(w, ns);
    while (time_ticks_to_ns(rdtsc() - begin) < ns)
        cpu_relax();
    store_release(&race->over, 1); /* pairs with the acquire in is_over() */
    race->ns = time_ticks_to_ns(rdtsc() - begin);
    smp_wait_work(core);
    return written;
}

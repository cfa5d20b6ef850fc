/* SPDX-License-Identifier: MIT */
#include "tests/latency/readers.h"

#include "kernel/lib/atomic.h"
#include "kernel/mm/mm.h"
#include "kernel/time/time.h"
#include "smp/smp.h"
#include "smp/watchdog.h"
#include "tests/harness/machine_record.h"
#include "tests/latency/measure.h"
#include "tests/lib/others.h"

#define TIMER_US 100 /* 10 kHz */
/* A core of a process looks for work for about a millisecond before it sleeps (hosted/cores.c). */
#define UNTIL_HALTED_US 4000

/* One core's counts: that core writes, in both its contexts; the boot core reads. */
struct counts {
    uint64_t thread __attribute__((aligned(CACHE_LINE)));
    uint64_t timer;
    /* `thread` at the last mark: the boot core's alone, in a line that no reader touches. */
    uint64_t marked __attribute__((aligned(CACHE_LINE)));
};

/* Written by the boot core before the readers start, read by them; smp_start_work() orders it. */
static struct {
    enum readers kind;
    enum layout layout;
    unsigned sites;
    struct counts *counts; /* by core */
} shared;

const char *readers_name(enum readers kind)
{
    static const char *const names[READERS_KINDS] = {
        [READERS_HALTED] = "halted",
        [READERS_LOOPING] = "looping",
        [READERS_INTERRUPTED] = "interrupted",
    };

    return names[kind];
}

/* Emulated cores share one processor: as many interrupts in all, however many they are. */
unsigned readers_timer_us(void)
{
    return machine_is_emulated() ? TIMER_US * smp_online() : TIMER_US;
}

static void call_site(unsigned i)
{
    __asm__ volatile("call *%0" : : "r"(ground_site(shared.layout, i)) : "memory", "cc");
}

static void on_timer(void)
{
    struct counts *mine = &shared.counts[cpu_index()];

    call_site(0);
    store_relaxed(&mine->timer, mine->timer + 1);
}

static void read_sites(__attribute__((unused)) void *arg)
{
    struct counts *mine = &shared.counts[cpu_index()];
    unsigned next = 0;

    if (shared.kind == READERS_INTERRUPTED) {
        store_release(&this_cpu()->timer_hook, on_timer);
        smp_timer_start(readers_timer_us());
    }
    while (others_go_on()) {
        call_site(next);
        next = next + 1 < shared.sites ? next + 1 : 0;
        store_release(&mine->thread, mine->thread + 1); /* pairs with wait_for_all() */
        measure_relax();
    }
    if (shared.kind == READERS_INTERRUPTED) {
        store_release(&this_cpu()->timer_hook, NULL);
        watchdog_start_core();
    }
}

static void wait_for_all(void)
{
    for (int core = smp_next_online(0); core >= 0; core = smp_next_online(core))
        while (!load_acquire(&shared.counts[core].thread)) /* pairs with read_sites() */
            cpu_relax();
}

static bool clear_counts(void)
{
    size_t bytes = smp_possible() * sizeof *shared.counts;

    if (!shared.counts)
        shared.counts = pages_alloc_virt((bytes + PAGE_SIZE - 1) / PAGE_SIZE);
    for (unsigned i = 0; shared.counts && i < smp_possible(); i++)
        shared.counts[i] = (struct counts){ 0 };
    return shared.counts;
}

bool readers_start(struct test_run *t, enum readers kind, enum layout layout, unsigned n)
{
    if (!clear_counts()) {
        ERROR("no memory for the readers");
        return false;
    }
    shared.kind = kind;
    shared.layout = layout;
    shared.sites = n;
    if (kind == READERS_HALTED) {
        time_delay_us(UNTIL_HALTED_US);
        return true;
    }
    if (others_start(t, 0, read_sites, NULL) != smp_online() - 1) {
        others_stop();
        return false;
    }
    wait_for_all();
    return true;
}

void readers_stop(void)
{
    if (shared.kind != READERS_HALTED)
        others_stop();
}

void readers_mark(void)
{
    if (shared.kind == READERS_HALTED || cores_take_turns)
        return;
    for (int core = smp_next_online(0); core >= 0; core = smp_next_online(core))
        shared.counts[core].marked = load_relaxed(&shared.counts[core].thread);
}

bool readers_all_ran(void)
{
    if (shared.kind == READERS_HALTED || cores_take_turns)
        return true;
    for (int core = smp_next_online(0); core >= 0; core = smp_next_online(core))
        if (shared.counts[core].marked == load_relaxed(&shared.counts[core].thread))
            return false;
    return true;
}

struct executions readers_executions(void)
{
    struct executions sum = { 0 };

    for (unsigned i = 0; i < smp_possible(); i++) {
        sum.thread += load_relaxed(&shared.counts[i].thread);
        sum.timer += load_relaxed(&shared.counts[i].timer);
    }
    return sum;
}

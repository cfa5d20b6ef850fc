/* SPDX-License-Identifier: MIT */
/*
 * Shared words. The boot core writes `orders`: the site, then turn (release), which watchers
 * acquire; odd turns watch, even ones rest. A watcher writes its own block: when it sees another
 * turn it publishes what it saw in the last one, then `answered` (release), which the boot core
 * acquires. `executions` is a counter that the boot core only compares.
 */
#include "tests/latency/watch.h"

#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "kernel/time/time.h"
#include "smp/smp.h"
#include "tests/latency/measure.h"
#include "tests/lib/others.h"

#define PATIENCE_NS 1000000000ull
#define AFTERWARDS  2 /* executions: the first may have begun before */

static struct {
    const struct site *site;
    uint32_t from, to;
    uint64_t turn;
} orders __attribute__((aligned(CACHE_LINE)));

static struct watcher {
    uint64_t executions __attribute__((aligned(CACHE_LINE)));
    uint64_t answered; /* turn */
    struct watch result;
} * blocks;
static unsigned started;

/* ---- on the watching core ---- */

struct view {
    uint32_t (*entry)(void);
    uint32_t from, to;
    uint64_t preemptions;
    struct watch watch;
};

static void execute_once(struct view *v)
{
    const uint64_t *hits = &this_cpu()->poke.int3_hits;
    uint64_t hits_before = load_relaxed(hits);
    uint64_t begin = measure_clock();
    uint32_t got = v->entry();
    uint64_t end = measure_clock();

    if (load_relaxed(hits) != hits_before) {
        v->watch.hits++;
        v->watch.hit_ticks += end - begin;
    }
    if (got == v->from) {
        v->watch.last_old = begin;
        v->watch.returns += v->watch.first_new != 0;
    } else if (got != v->to) {
        v->watch.wrong++;
    } else if (!v->watch.first_new) {
        v->watch.first_new = end;
    }
}

/* To the boot core's clock. */
static uint64_t as_boot_core(uint64_t tsc)
{
    return tsc ? tsc - (uint64_t)this_cpu()->tsc_offset : 0;
}

static void publish(struct watcher *self, struct view *v)
{
    v->watch.last_old = as_boot_core(v->watch.last_old);
    v->watch.first_new = as_boot_core(v->watch.first_new);
    v->watch.preempted = smp_preemptions() != v->preemptions;
    self->result = v->watch;
}

static void begin_turn(struct view *v)
{
    v->entry = (uint32_t(*)(void))(uintptr_t)orders.site->entry;
    v->from = orders.from;
    v->to = orders.to;
    v->preemptions = smp_preemptions();
    v->watch = (struct watch){ 0 };
}

static void watch(__attribute__((unused)) void *arg)
{
    struct watcher *self = &blocks[cpu_index()];
    uint64_t turn = 0;
    struct view v;

    for (; others_go_on(); measure_relax()) {
        uint64_t wanted = load_acquire(&orders.turn); /* pairs with the release in ask() */

        if (!wanted)
            continue;
        if (wanted != turn) {
            if (turn)
                publish(self, &v);
            begin_turn(&v);
            execute_once(&v);
            turn = wanted;
            store_release(&self->answered, turn); /* pairs with the acquire in ask() */
        }
        execute_once(&v);
        store_relaxed(&self->executions, self->executions + 1);
    }
}

/* ---- on the boot core ---- */

bool watchers_start(struct test_run *t)
{
    size_t bytes = smp_possible() * sizeof *blocks;

    if (!blocks)
        blocks = pages_alloc_virt((bytes + PAGE_SIZE - 1) / PAGE_SIZE);
    if (!blocks)
        return false;
    memset(blocks, 0, bytes);
    store_relaxed(&orders.turn, 0);
    started = others_start(t, 0, watch, NULL);
    return started + 1 == smp_online();
}

void watchers_stop(void)
{
    others_stop();
}

unsigned watchers(void)
{
    return started;
}

uint64_t watchers_executions(void)
{
    uint64_t sum = 0;

    for (unsigned core = 0; core < smp_possible(); core++)
        sum += load_relaxed(&blocks[core].executions);
    return sum;
}

static bool wait_until(const uint64_t *word, uint64_t least)
{
    uint64_t begin = rdtsc(), patience = time_ns_to_ticks(PATIENCE_NS);

    while (load_acquire(word) < least) {
        if (rdtsc() - begin > patience)
            return false;
        cpu_relax();
    }
    return true;
}

/* Go to the next turn. */
static bool ask(void)
{
    uint64_t turn = orders.turn + 1;
    bool all = true;

    store_release(&orders.turn, turn); /* pairs with the acquire in watch() */
    for (int core = smp_next_online(0); core >= 0; core = smp_next_online(core))
        all &= wait_until(&blocks[core].answered, turn); /* pairs with the release in watch() */
    return all;
}

bool watch_begin(const struct site *s, uint32_t from, uint32_t to)
{
    orders.site = s;
    orders.from = from;
    orders.to = to;
    return ask();
}

bool watch_end(void)
{
    bool all = true;

    for (int core = smp_next_online(0); core >= 0; core = smp_next_online(core))
        all &= wait_until(&blocks[core].executions,
                          load_relaxed(&blocks[core].executions) + AFTERWARDS);
    return all && ask();
}

const struct watch *watch_of(unsigned core)
{
    return &blocks[core].result;
}

/* SPDX-License-Identifier: MIT */
#include "tests/lib/others.h"

#include "kernel/lib/atomic.h"

/* The boot core writes both, between groups and at the end of one; every core reads `stop`. */
static uint32_t stop;
static unsigned first;

unsigned others_start(struct test_run *t, unsigned after, smp_work fn, void *arg)
{
    unsigned started = 0, wanted = 0;

    store_relaxed(&stop, 0); /* smp_start_work() orders it before fn */
    first = after + 1;
    for (int core = smp_next_online((int)after); core >= 0; core = smp_next_online(core)) {
        wanted++;
        started += smp_start_work((unsigned)core, fn, arg);
    }
    if (started != wanted)
        ERROR("%u of %u cores could be started", started, wanted);
    return started;
}

static uint32_t busy; /* cores in be_busy() */

static void be_busy(__attribute__((unused)) void *arg)
{
    fetch_add(&busy, 1);
    while (others_go_on())
        cpu_relax();
}

void others_keep_busy(struct test_run *t)
{
    store_relaxed(&busy, 0);
    unsigned started = others_start(t, 0, be_busy, NULL);

    while (load_acquire(&busy) != started)
        cpu_relax();
}

void others_stop(void)
{
    store_release(&stop, 1); /* pairs with the acquire in others_go_on() */
    for (int core = smp_next_online((int)first - 1); core >= 0; core = smp_next_online(core))
        smp_wait_work((unsigned)core);
}

bool others_go_on(void)
{
    return !load_acquire(&stop); /* pairs with the release in others_stop() */
}

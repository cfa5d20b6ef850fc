/* SPDX-License-Identifier: MIT */
#include "tests/errata/writer.h"

#include "kernel/lib/atomic.h"
#include "kernel/mm/mm.h"
#include "kernel/time/time.h"
#include "poke/poke.h"

/* On bare metal the alias is text_poke's window, and interrupts are off while it is open. */
#define BURST_NS 100000u
#define PACES    6u /* the longest wait of a burst is pace_ns, or a half, a quarter, ... of it */

/* At least one PAUSE: an emulator with one thread changes cores only there. */
static void wait_ticks(uint64_t ticks)
{
    uint64_t begin = rdtsc();

    do
        cpu_relax();
    while (rdtsc() - begin < ticks);
}

/*
 * Stores until `end`, through an open alias. Quick ones meet the reader in the middle of a fetch
 * more often; with slow ones it sees every change.
 */
static void burst(struct writer *w, void *to, uint64_t end)
{
    uint32_t pace = (uint32_t)time_ns_to_ticks(w->pace_ns >> prng_below(&w->random, PACES)) + 1;

    do {
        w->last = w->image(w->arg, ++w->stores);
        w->kind->store(to, w->last);
        wait_ticks(prng_below(&w->random, pace));
    } while ((int64_t)(rdtsc() - end) < 0);
}

/* Does memory, through this mapping, hold what was stored last? Nobody else writes there. */
static void check(struct writer *w, const void *at)
{
    w->lost |= w->last && memcmp(at, w->last, w->kind->bytes) != 0;
}

bool writer_run(struct writer *w, uint64_t ns)
{
    uint64_t page = w->to & ~(PAGE_SIZE - 1), end = rdtsc() + time_ns_to_ticks(ns);
    size_t pages = (w->to + w->kind->bytes - 1 - page) / PAGE_SIZE + 1;
    struct store_vectors saved;
    uint8_t *alias;

    store_vectors_begin(&saved, w->kind);
    do {
        uint64_t left = end - rdtsc(), most = time_ns_to_ticks(BURST_NS);

        text_mutex_lock();
        alias = mm_alias_open(page, pages);
        if (alias) {
            check(w, alias + w->to % PAGE_SIZE);
            burst(w, alias + w->to % PAGE_SIZE, rdtsc() + (left < most ? left : most));
            mm_alias_close(alias, pages);
        }
        text_mutex_unlock();
    } while (alias && (int64_t)(rdtsc() - end) < 0);
    store_vectors_end(&saved);
    check(w, (const void *)(uintptr_t)w->to);
    return alias != NULL;
}

/* SPDX-License-Identifier: MIT */
/*
 * How far each core's TSC is from the boot core's. The boot core notes its time, writes a number,
 * the other core answers with its own time, and the boot core notes its time again. The other's
 * time lies between the two; the sample with the shortest round trip is the best one, and half of
 * the round trip is what the middle can be wrong by. An emulator that runs the cores in turns makes
 * the answer come at one end of the interval, so an offset within a whole round trip is not
 * distinguished from none.
 *
 * Shared words: `ping` is written by the boot core, `answer` then `pong` (release) by the other.
 * The next ping is the permission to write the next answer.
 */
#include "smp/internal.h"
#include "smp/smp.h"

#include "kernel/lib/atomic.h"
#include "kernel/lib/fixed_text.h"
#include "kernel/time/time.h"
#include "poke/machine.h"

#define ROUNDS    200
#define LIMIT_NS  20000000ull /* for one core; one round at least */
#define PING_LAST UINT32_MAX

static struct {
    uint32_t ping __attribute__((aligned(CACHE_LINE)));
    uint32_t pong __attribute__((aligned(CACHE_LINE)));
    uint64_t answer;
} line;

static uint64_t skew; /* written by the boot core before patching starts */

static void answer_pings(void *unused)
{
    uint32_t seen = 0, ping;

    (void)unused;
    for (;;) {
        while ((ping = load_acquire(&line.ping)) == seen)
            cpu_relax();
        if (ping == PING_LAST)
            return;
        seen = ping;
        line.answer = machine_now();
        store_release(&line.pong, ping); /* pairs with the acquire in sample() */
    }
}

/* One round trip; keeps the result if it is the shortest so far. */
static void sample(struct percpu *cpu, uint32_t number)
{
    uint64_t before = machine_now();

    store_release(&line.ping, number); /* pairs with the acquire in answer_pings() */
    while (load_acquire(&line.pong) != number)
        cpu_relax();
    uint64_t rtt = machine_now() - before;
    if (cpu->tsc_offset_rtt != 0 && rtt >= cpu->tsc_offset_rtt)
        return;
    cpu->tsc_offset_rtt = rtt;
    cpu->tsc_offset = (int64_t)(line.answer - before - rtt / 2);
}

static void measure(unsigned core)
{
    uint64_t start = rdtsc(), limit = time_ns_to_ticks(LIMIT_NS);

    store_relaxed(&line.ping, 0);
    store_relaxed(&line.pong, 0);
    if (!smp_start_work(core, answer_pings, NULL))
        return;
    for (uint32_t i = 1; i <= ROUNDS && (i == 1 || rdtsc() - start < limit); i++)
        sample(percpu(core), i);
    store_release(&line.ping, PING_LAST);
    smp_wait_work(core);
}

void tsc_offset_measure(void)
{
    uint64_t worst = 0;

    for_each_online_cpu (i) {
        struct percpu *cpu = percpu((unsigned)i);

        measure((unsigned)i);                 /* not the boot core: it is never idle */
        store_release(&cpu->tsc_known, true); /* pairs with the acquire in watchdog_tick() */
        uint64_t distance = (uint64_t)(cpu->tsc_offset < 0 ? -cpu->tsc_offset : cpu->tsc_offset);
        if (distance + cpu->tsc_offset_rtt / 2 > worst)
            worst = distance + cpu->tsc_offset_rtt / 2;
    }
    /* One core can be ahead of the boot core and another one behind it. */
    skew = 2 * worst;
}

/* The order of each batch is checked with it (poke/order_check.c). */
FIXED_TEXT uint64_t tsc_offset_skew(void)
{
    return skew;
}

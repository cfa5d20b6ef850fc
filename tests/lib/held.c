/* SPDX-License-Identifier: MIT */
#include "tests/lib/held.h"

#include "kernel/cpu/regs.h"
#include "kernel/time/time.h"
#include "poke/poke.h"

#define PATIENCE_NS 1000000000ull

/* The boot core writes all but `ready` and `met` before the core starts; those are the core's. */
static struct {
    unsigned core;
    const uint8_t *slot;
    smp_work fn;
    void *arg;
    uint32_t ready; /* interrupts are off */
    bool met;
} held;

static void wait_and_run(__attribute__((unused)) void *arg)
{
    uint64_t begin = rdtsc(), patience = time_ns_to_ticks(PATIENCE_NS);

    irq_disable();
    store_release(&held.ready, 1); /* pairs with the acquire in hold_begin() */
    while (load_acquire(held.slot) != INT3_INSN_OPCODE && rdtsc() - begin < patience)
        cpu_relax();
    held.met = load_acquire(held.slot) == INT3_INSN_OPCODE;
    if (held.met)
        held.fn(held.arg);
    irq_enable(); /* the sync's interrupt is taken, the patch goes on */
}

bool hold_begin(unsigned core, const uint8_t *slot, smp_work fn, void *arg)
{
    held.core = core;
    held.slot = slot;
    held.fn = fn;
    held.arg = arg;
    held.ready = 0;
    held.met = false;
    if (!smp_start_work(core, wait_and_run, NULL))
        return false;
    while (!load_acquire(&held.ready)) /* pairs with the release in wait_and_run() */
        cpu_relax();
    return true;
}

bool hold_end(void)
{
    smp_wait_work(held.core);
    return held.met;
}

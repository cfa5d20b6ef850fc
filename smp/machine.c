/* SPDX-License-Identifier: MIT */
/* The cores' half of what the engine asks of its machine (poke/machine.h). */
#include "poke/machine.h"

#include "kernel/lib/atomic.h"
#include "smp/internal.h"
#include "smp/smp.h"

unsigned machine_cores(void)
{
    return smp_possible();
}

unsigned machine_this_core(void)
{
    return cpu_index();
}

unsigned machine_trap_depth(void)
{
    return cpu_local()->trap_depth;
}

bool machine_core_online(unsigned core)
{
    return smp_is_online(core);
}

bool machine_core_away(unsigned core)
{
    return !smp_is_online(core) ||
           /* Pairs with the release in quiescent_enter(). */
           load_acquire(&percpu(core)->quiescence) == CORE_QUIESCENT;
}

struct poke_core *machine_poke_core(unsigned core)
{
    return &percpu(core)->poke;
}

struct poke_core *machine_this_poke_core(void)
{
    return &this_cpu()->poke;
}

uint64_t machine_now(void)
{
    uint32_t lo, hi;

    /* LFENCE: not before earlier loads, another core's acknowledgement above all (SDM, RDTSC). */
    __asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi)::"memory");
    return (uint64_t)hi << 32 | lo;
}

uint64_t machine_clock_skew(void)
{
    return tsc_offset_skew();
}

void machine_sync_cores(uint64_t round)
{
    smp_sync_cores(round);
}

void machine_sync_this_core(void)
{
    sync_core();
}

void machine_relax(void)
{
    cpu_relax();
}

void machine_phase(const char *phase)
{
    store_relaxed(&this_cpu()->phase, phase); /* read by the watchdog when this core is stopped */
}

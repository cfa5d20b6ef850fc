/* SPDX-License-Identifier: MIT */
#include "poke/counters.h"
#include "poke/lock.h"
#include "poke/log.h"

/* The last round's number, from 1. Written under text_mutex, read by cores that leave and return. */
static uint64_t round;

uint64_t poke_sync_round(void)
{
    return load_relaxed(&round); /* ordered by the machine: see poke_log_offline() */
}

static void next_round(void)
{
    store_relaxed(&round, round + 1); /* before the full barrier in machine_sync_cores() */
    poke_log_event(POKE_EV_SYNC_BEGIN, round);
    machine_sync_cores(round);
    poke_log_event(POKE_EV_SYNC_END, round);
    poke_count.syncs++;
}

void smp_text_poke_sync_each_cpu(void)
{
    if (text_mutex_held()) {
        next_round();
        return;
    }
    text_mutex_lock();
    next_round();
    text_mutex_unlock();
}

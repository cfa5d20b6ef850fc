/* SPDX-License-Identifier: MIT */
#include "poke/counters.h"
#include "poke/lock.h"
#include "poke/log.h"
#include "poke/protocol.h"

/*
 * The last round's number, from 1. Written under text_mutex, read by cores that leave and return.
 */
static uint64_t round;

uint64_t poke_sync_round(void)
{
    return load_relaxed(&round); /* ordered by the machine: see poke_log_offline() */
}

uint64_t poke_sync(uint64_t begin)
{
    struct poke_log *log = machine_this_poke_core()->log;
    uint64_t number = round + 1;

    store_relaxed(&round, number); /* before the full barrier in machine_sync_cores() */
    poke_log_at(log, begin, POKE_EV_SYNC_BEGIN, number);
    machine_sync_cores(number);

    uint64_t end = machine_now();

    poke_log_at(log, end, POKE_EV_SYNC_END, number);
    poke_count.syncs++;
    return end;
}

void smp_text_poke_sync_each_cpu(void)
{
    bool held = text_mutex_held();

    if (!held)
        text_mutex_lock();
    if (poke_open_batch.table)
        poke_settle_batch(); /* one round serves both */
    else
        poke_sync(machine_now());
    if (!held)
        text_mutex_unlock();
}

/* SPDX-License-Identifier: MIT */
#include "poke/counters.h"
#include "poke/lock.h"
#include "poke/log.h"

/* The last round's number, from 1. Under text_mutex. */
static uint64_t round;

enum poke_error smp_text_poke_sync_each_cpu(void)
{
    if (!text_mutex_held())
        return POKE_E_LOCK;
    round++;
    poke_log_event(POKE_EV_SYNC_BEGIN, round);
    machine_sync_cores(round);
    poke_log_event(POKE_EV_SYNC_END, round);
    poke_count.syncs++;
    return POKE_OK;
}

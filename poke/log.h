/* SPDX-License-Identifier: MIT */
/* The engine's side of the event log; poke/event_log.h is everybody's. */
#ifndef POKE_LOG_H
#define POKE_LOG_H

#include "poke/core_local.h"
#include "poke/event_log.h"
#include "poke/machine.h"

/* Log an event at `time` in the ring of this core, NULL if it has none. Any context. */
static inline void poke_log_at(struct poke_log *log, uint64_t time, enum poke_event_kind kind,
                               uint64_t what)
{
    if (!log)
        return;

    uint32_t seq = core_local_claim(&log->next);

    log->events[seq & log->mask] =
        (struct poke_event){ .time = time, .what = what, .kind = kind, .seq = seq };
}

/* The same in this core's ring, now. */
void poke_log_event(enum poke_event_kind kind, uint64_t what);

/* Number of the last sync that has begun. Any core, any context. */
uint64_t poke_sync_round(void);

/*
 * The stores of one opening of the window. They are logged in a row, and counted at its end: this
 * core logs nothing else meanwhile, for interrupts are off, and NMIs do not log where a window can
 * be open.
 */
struct poke_stores {
    struct poke_log *log; /* of this core; NULL: none */
    uint64_t time;        /* when the step began: one reading of the clock for all its stores */
    uint32_t next;        /* index of the next event */
};

static inline struct poke_stores poke_log_stores_begin(uint64_t time)
{
    struct poke_log *log = machine_this_poke_core()->log;

    return (struct poke_stores){ .log = log, .time = time, .next = log ? log->next : 0 };
}

static inline void poke_log_stores_end(const struct poke_stores *stores)
{
    if (stores->log)
        stores->log->next = stores->next;
}

/* Log that `len` bytes beginning with `first` were stored at `addr`. Between the two. */
static inline void poke_log_store(struct poke_stores *stores, uintptr_t addr, uint8_t first,
                                  size_t len)
{
    if (!stores->log)
        return;

    stores->log->events[stores->next & stores->log->mask] = (struct poke_event){
        .time = stores->time,
        .what = addr,
        .kind = POKE_EV_STORE,
        .byte = first,
        .len = (uint16_t)len,
        .seq = stores->next,
    };
    stores->next++;
}

#endif

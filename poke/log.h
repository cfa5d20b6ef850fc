/* SPDX-License-Identifier: MIT */
/* The engine's side of the event log; poke/event_log.h is everybody's. */
#ifndef POKE_LOG_H
#define POKE_LOG_H

#include "poke/event_log.h"

/* Log an event in this core's ring, if it has one. Any context. */
void poke_log_event(enum poke_event_kind kind, uint64_t what);

/* Number of the last sync that has begun. Any core, any context. */
uint64_t poke_sync_round(void);

/* What the stores of one opening of the window have in common. */
struct poke_stores {
    struct poke_log *log; /* of this core; NULL: none */
    uint64_t time;        /* when the window was opened: one reading of the clock for all */
};
struct poke_stores poke_log_stores(void);

/* Log that `len` bytes beginning with `first` were stored at `addr`. On the core that opened. */
void poke_log_store(const struct poke_stores *stores, uintptr_t addr, uint8_t first, size_t len);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The event log: every publish, store, sync, acknowledgement and retire, with core and time. The order that the
 * protocol needs is asserted from it, independently of the code that ran: it is the portable proof that no step
 * and no synchronisation is missing, on machines that hide the effect of a missing one.
 *
 * One ring per core; only that core writes it, its interrupt handlers included (an index is claimed with a single
 * unlocked XADD on the core's own line, so an interrupt cannot tear an entry).
 */
#ifndef POKE_EVENT_LOG_H
#define POKE_EVENT_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum poke_event_kind {
    POKE_EV_NONE,
    POKE_EV_PUBLISH,
    POKE_EV_STORE,      /* addr, len, first byte, step */
    POKE_EV_SYNC_BEGIN, /* round */
    POKE_EV_ACK,        /* round: this core has serialised */
    POKE_EV_SYNC_END,   /* round */
    POKE_EV_RETIRE,
};

struct poke_event {
    uint64_t time; /* machine_now() */
    uint64_t what; /* address of a store, round of a sync, batch number of publish and retire */
    uint8_t kind;  /* enum poke_event_kind */
    uint8_t byte;  /* first byte stored */
    uint16_t len;  /* bytes stored */
    uint32_t seq;  /* position in this core's ring, wraps: tells an overwritten entry */
};

struct poke_log {
    uint32_t next;     /* free-running index */
    uint32_t mask;     /* entries - 1 */
    struct poke_event *events;
};

/*
 * Give core `core` its ring: `entries` (a power of two) zeroed events. Before the engine is used.
 * The patching core logs up to 3 * TEXT_POKE_ARRAY_MAX + 16 events per batch; every other core 3.
 */
void poke_log_attach(unsigned core, struct poke_log *log, struct poke_event *events,
                     uint32_t entries);

/* What the order check found wrong first. */
struct poke_order_fault {
    const char *what; /* constant sentence: "sync 1 is missing between the INT3 and the tail" */
    uintptr_t site;   /* address of the entry, 0 if it concerns the whole batch */
    unsigned core;    /* core concerned by a missing acknowledgement */
};

/*
 * Switch the check of every finished batch on (default) or off: off only where a measurement must not pay for it.
 * Violations are counted in poke_counters() and the first is kept for poke_first_fault().
 */
void poke_order_check_enable(bool on);

/* The first violation since poke_order_reset(), or NULL. Needs text_mutex. */
const struct poke_order_fault *poke_first_fault(void);
void poke_order_reset(void);

#endif

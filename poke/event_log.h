/* SPDX-License-Identifier: MIT */
/*
 * The event log: every publish, store, sync, acknowledgement and retire, with core and time. The
 * order that the protocol needs is asserted from it, independently of the code that ran: it is
 * the portable proof that no step and no synchronisation is missing, on machines that hide the
 * effect of a missing one.
 *
 * One ring per core; only that core writes it, its interrupt handlers included (an index is
 * claimed with a single unlocked XADD on the core's own line, so an interrupt cannot tear an
 * entry). The order check reads the rings of all cores under text_mutex: a core logs its
 * acknowledgement before it releases it to machine_sync_cores(), which acquires it.
 */
#ifndef POKE_EVENT_LOG_H
#define POKE_EVENT_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum poke_event_kind {
    POKE_EV_NONE,
    POKE_EV_PUBLISH,    /* what: batch */
    POKE_EV_STORE,      /* what: address; byte, len */
    POKE_EV_SYNC_BEGIN, /* what: round */
    POKE_EV_ACK,        /* what: round; this core has serialised */
    POKE_EV_SYNC_END,   /* what: round */
    POKE_EV_RETIRE,     /* what: batch */
    POKE_EV_AWAY,       /* what: last round, len: rounds before it (saturating): this core was
                           offline at some time from that round to the last, and serialises next */
};

struct poke_event {
    uint64_t time; /* machine_now() of the core that logs; of a store: when its step began */
    uint64_t what; /* address of a store, round of a sync, batch number of publish and retire */
    uint8_t kind;  /* enum poke_event_kind */
    uint8_t byte;  /* first byte stored */
    uint16_t len;  /* bytes stored */
    uint32_t seq;  /* index of this entry, wraps: tells an entry of an earlier lap */
};

struct poke_log {
    uint32_t next; /* free-running index of the next entry; wraps */
    uint32_t mask; /* entries - 1 */
    struct poke_event *events;
};

/*
 * Events that a batch and the one that follows it can put into the patcher's ring (a store per
 * entry and step; per byte where a protocol of the laboratory stores bytes one by one, but then no
 * batch is left open), and into every other core's.
 */
#define POKE_LOG_PATCHER_MIN 2048
#define POKE_LOG_OTHER_MIN   32

/*
 * Give core `core` its ring: `entries` (a power of two, at least POKE_LOG_PATCHER_MIN for a core
 * that patches, else POKE_LOG_OTHER_MIN) zeroed events. Before the engine is used; any core. A
 * ring that is too small is reported by the order check, as an overrun.
 */
void poke_log_attach(unsigned core, struct poke_log *log, struct poke_event *events,
                     uint32_t entries);

/* What the order check found wrong first. */
struct poke_order_fault {
    const char *what; /* constant sentence: "tail stored before the INT3 was synchronised" */
    uintptr_t site;   /* address of the entry, 0 if it concerns the whole batch */
    unsigned core;    /* core concerned by a missing acknowledgement, else the patcher */
    unsigned sync;    /* which sync of the batch, from 1; 0 if it concerns none */
    uint64_t batch;   /* number of the batch, from 1 */
};

/*
 * Switch the check of every finished batch on (default) or off: off only where a measurement must
 * not pay for it. It runs after the batch and outside its timing. Violations are counted in
 * poke_counters() and the first is kept for poke_first_fault(). Needs text_mutex, takes effect
 * with the next batch. A patcher without a ring is not checked (counters: order_checked).
 */
void poke_order_check_enable(bool on);

/* The first violation since poke_order_reset(), or NULL. Needs text_mutex. */
const struct poke_order_fault *poke_first_fault(void);
void poke_order_reset(void);

#endif

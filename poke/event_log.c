/* SPDX-License-Identifier: MIT */
#include "poke/log.h"

#include "poke/core_local.h"
#include "poke/machine.h"

void poke_log_attach(unsigned core, struct poke_log *log, struct poke_event *events,
                     uint32_t entries)
{
    *log = (struct poke_log){ .mask = entries - 1, .events = events };
    machine_poke_core(core)->log = log;
}

static void append(struct poke_log *log, struct poke_event event)
{
    event.seq = core_local_claim(&log->next);
    log->events[event.seq & log->mask] = event;
}

static void log_event_of(unsigned core, struct poke_event event)
{
    struct poke_log *log = machine_poke_core(core)->log;

    if (!log)
        return;
    event.time = machine_now();
    append(log, event);
}

static void log_event(struct poke_event event)
{
    log_event_of(machine_this_core(), event);
}

void poke_log_event(enum poke_event_kind kind, uint64_t what)
{
    log_event((struct poke_event){ .kind = kind, .what = what });
}

struct poke_stores poke_log_stores(void)
{
    return (struct poke_stores){ .log = machine_poke_core(machine_this_core())->log,
                                 .time = machine_now() };
}

void poke_log_store(const struct poke_stores *stores, uintptr_t addr, uint8_t first, size_t len)
{
    if (stores->log)
        append(stores->log, (struct poke_event){ .time = stores->time,
                                                 .kind = POKE_EV_STORE,
                                                 .what = addr,
                                                 .byte = first,
                                                 .len = (uint16_t)len });
}

void poke_log_ack(uint64_t round)
{
    poke_log_event(POKE_EV_ACK, round);
}

void poke_log_ack_of(unsigned core, uint64_t round)
{
    log_event_of(core, (struct poke_event){ .kind = POKE_EV_ACK, .what = round });
}

/*
 * Which syncs a core that was away has to do with: none before the round that it saw when it left,
 * none after the one that it sees when it is back. It reads the first before it releases that it is
 * offline, the second after it has acquired that it is online. A round is numbered before the full
 * barrier and the look at who is online (machine_core_online()). A look that missed this core came
 * before its return and after its leaving, so its round lies between the two; and what the syncs of
 * all rounds between were to make visible was stored before this core's serialising, which follows.
 */
void poke_log_offline(void)
{
    struct poke_core *core = machine_poke_core(machine_this_core());

    store_release(&core->away_from, poke_sync_round() + 1);
}

/*
 * The event first, then the word: a checker that finds the word cleared finds the event (check_ack()
 * in order_check.c).
 */
void poke_log_online(void)
{
    struct poke_core *core = machine_poke_core(machine_this_core());
    uint64_t last = poke_sync_round(), before = last - (core->away_from - 1);
    uint16_t len = before < UINT16_MAX ? (uint16_t)before : UINT16_MAX;
    uint64_t event = last << 16 | len;

    if (core->away_logged != event)
        log_event((struct poke_event){ .kind = POKE_EV_AWAY, .what = last, .len = len });
    store_release(&core->away_logged, event);
    store_release(&core->away_from, 0);
}

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

static void log_event_of(unsigned core, struct poke_event event)
{
    struct poke_log *log = machine_poke_core(core)->log;

    if (!log)
        return;
    event.time = machine_now();
    event.seq = core_local_claim(&log->next);
    log->events[event.seq & log->mask] = event;
}

static void log_event(struct poke_event event)
{
    log_event_of(machine_this_core(), event);
}

void poke_log_event(enum poke_event_kind kind, uint64_t what)
{
    log_event((struct poke_event){ .kind = kind, .what = what });
}

void poke_log_store(uintptr_t addr, uint8_t first, size_t len)
{
    log_event((struct poke_event){
        .kind = POKE_EV_STORE, .what = addr, .byte = first, .len = (uint16_t)len });
}

void poke_log_ack(uint64_t round)
{
    poke_log_event(POKE_EV_ACK, round);
}

void poke_log_ack_of(unsigned core, uint64_t round)
{
    log_event_of(core, (struct poke_event){ .kind = POKE_EV_ACK, .what = round });
}

/* The word changes before the event is there: see offline_during() in poke/order_check.c. */
static void log_presence(enum poke_event_kind kind, uint32_t offline)
{
    store_release(&machine_poke_core(machine_this_core())->offline, offline);
    poke_log_event(kind, 0);
}

void poke_log_offline(void)
{
    log_presence(POKE_EV_OFFLINE, 1);
}

void poke_log_online(void)
{
    log_presence(POKE_EV_ONLINE, 0);
}

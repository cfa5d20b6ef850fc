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

void poke_log_event(enum poke_event_kind kind, uint64_t what)
{
    struct poke_log *log = machine_this_poke_core()->log;

    if (log)
        poke_log_at(log, machine_now(), kind, what);
}

void poke_log_ack(uint64_t round)
{
    poke_log_event(POKE_EV_ACK, round);
}

void poke_log_ack_of(unsigned core, uint64_t round)
{
    poke_log_at(machine_poke_core(core)->log, machine_now(), POKE_EV_ACK, round);
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
    struct poke_core *core = machine_this_poke_core();

    store_release(&core->away_from, poke_sync_round() + 1);
}

static void log_away(struct poke_log *log, uint64_t last, uint16_t before)
{
    if (!log)
        return;

    uint32_t seq = core_local_claim(&log->next);

    log->events[seq & log->mask] = (struct poke_event){
        .time = machine_now(), .what = last, .kind = POKE_EV_AWAY, .len = before, .seq = seq
    };
}

/*
 * The event first, then the word: a checker that finds the word cleared finds the event
 * (check_ack() in order_check.c).
 */
void poke_log_online(void)
{
    struct poke_core *core = machine_this_poke_core();
    uint64_t last = poke_sync_round(), before = last - (core->away_from - 1);
    uint16_t len = before < UINT16_MAX ? (uint16_t)before : UINT16_MAX;
    uint64_t event = last << 16 | len;

    if (core->away_logged != event)
        log_away(core->log, last, len);
    store_release(&core->away_logged, event);
    store_release(&core->away_from, 0);
}

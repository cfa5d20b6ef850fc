/* SPDX-License-Identifier: MIT */
/*
 * Does the event log of a batch show the order that the breakpoint protocol needs? Per entry:
 *
 *   publish < INT3 < a sync < tail, if it has one < a sync < first byte, unless that is INT3
 *   < a sync < retire
 *
 * where a sync is complete: begin, one acknowledgement of its round from every core, end. A core
 * owes none for a round in which it was offline for a time: see poke_log_offline().
 * The patcher's events are ordered by their place in its own ring; acknowledgements of other cores
 * by their time, within the machine's clock skew. Only the log and the entries are consulted, and
 * an event that was overwritten is a fault, never skipped.
 */
#include "poke/order_check.h"

#include "poke/counters.h"
#include "poke/log.h"
#include "poke/table.h"

static bool enabled = true;
static bool active[POKE_TABLES]; /* the check of its batch: poke_order_check_begin() was enabled */
static struct poke_order_fault first_fault;

/* What the log has shown of one entry. The syncs count those completed before the store. */
struct progress {
    bool int3, first;
    uint8_t tail; /* bit i: byte i is stored */
    uint8_t int3_syncs, tail_syncs, first_syncs;
};
static struct progress progress[TEXT_POKE_ARRAY_MAX];

/* What it has shown of the batch. */
struct walk {
    const struct poke_table *table;
    uint64_t batch;
    bool published, retired;
    bool next_published; /* the next batch, before this one was retired */
    bool in_sync, own_ack;
    uint64_t round, sync_begin; /* of the sync that is open */
    uint8_t syncs;              /* completed */
    unsigned silent_core;       /* which core a missing acknowledgement is of */
    uintptr_t site;             /* which entry the event that was looked at is of */
};

void poke_order_check_enable(bool on)
{
    enabled = on;
}

const struct poke_order_fault *poke_first_fault(void)
{
    return first_fault.what ? &first_fault : NULL;
}

void poke_order_reset(void)
{
    first_fault = (struct poke_order_fault){ 0 };
}

static unsigned index_of(const struct poke_table *table)
{
    return (unsigned)(table - poke_tables);
}

void poke_order_check_begin(const struct poke_table *table)
{
    unsigned index = index_of(table);

    active[index] = enabled && machine_this_poke_core()->log;
    if (!active[index])
        return;
    for (unsigned i = 0; i < machine_cores(); i++) {
        struct poke_core *core = machine_poke_core(i);

        if (!core->log)
            continue;
        core->log_mark[index] = load_relaxed(&core->log->next);
    }
}

static bool is_overwritten(const struct poke_log *log, uint32_t index, uint32_t next)
{
    return next - index > log->mask + 1;
}

/* The entry at `index` of a ring, or NULL if it is not, or not yet, complete. */
static const struct poke_event *event_at(const struct poke_log *log, uint32_t index)
{
    const struct poke_event *event = &log->events[index & log->mask];

    return event->kind != POKE_EV_NONE && event->seq == index ? event : NULL;
}

static const char *check_ack_time(const struct poke_event *ack, const struct walk *w,
                                  uint64_t sync_end)
{
    uint64_t skew = machine_clock_skew();

    if (ack->time + skew < w->sync_begin)
        return "a core acknowledged a sync before it began";
    if (ack->time > sync_end + skew)
        return "a core acknowledged a sync after its end";
    return NULL;
}

/*
 * Look for the acknowledgement of the open sync in another core's ring, from its mark on, or for
 * the word that the core was away. A core that is away now is excused by its word; it is read
 * before the ring's end, so that one that has just come back has its event there. The event that is
 * being written at the ring's end is neither: an acknowledgement is complete when the sync ends.
 */
static const char *check_ack(struct poke_core *core, const struct walk *w, uint64_t sync_end)
{
    uint32_t *mark = &core->log_mark[index_of(w->table)];
    uint64_t away_from = load_acquire(&core->away_from); /* pairs with poke_log_online() */
    bool excused = away_from && w->round >= away_from - 1;

    if (!core->log)
        return excused ? NULL : "an online core has no event log";
    /* Pairs with the release by which the core acknowledged: its event is complete. */
    uint32_t next = load_acquire(&core->log->next);
    if (is_overwritten(core->log, *mark, next))
        return "a core's event log has been overrun";
    for (uint32_t i = *mark; i != next; i++) {
        const struct poke_event *event = event_at(core->log, i);

        if (!event)
            break;
        if (event->kind == POKE_EV_AWAY) {
            excused |= w->round <= event->what && w->round + event->len >= event->what;
        } else if (event->kind == POKE_EV_ACK && event->what == w->round) {
            *mark = i + 1;
            return check_ack_time(event, w, sync_end);
        }
    }
    return excused ? NULL : "a core did not acknowledge a sync";
}

static const char *on_sync_end(struct walk *w, const struct poke_event *event)
{
    unsigned me = machine_this_core();

    if (!w->in_sync || event->what != w->round)
        return "end of a sync that did not begin";
    for (unsigned i = 0; i < machine_cores(); i++) {
        struct poke_core *core = machine_poke_core(i);
        const char *fault = NULL;

        /*
         * Never started? A core that leaves says so before it is offline, and one that returns logs
         * it before it takes that back: in this order one of the words tells.
         */
        if (!machine_core_online(i) && !load_acquire(&core->away_from) &&
            !load_acquire(&core->away_logged))
            continue;
        if (i != me)
            fault = check_ack(core, w, event->time);
        else if (!w->own_ack)
            fault = "a core did not acknowledge a sync";
        if (fault) {
            w->silent_core = i;
            return fault;
        }
    }
    w->in_sync = false;
    w->syncs++;
    return NULL;
}

static bool tail_complete(const struct poke_entry *entry, const struct progress *p)
{
    return p->tail == (((1u << entry->len) - 1) & ~1u);
}

static const char *on_first_byte(const struct poke_entry *entry, struct progress *p,
                                 const struct walk *w)
{
    if (!p->int3)
        return "no INT3 before the first byte";
    if (!tail_complete(entry, p))
        return "first byte stored before the tail";
    if (p->tail && w->syncs <= p->tail_syncs)
        return "first byte stored before the tail was synchronised";
    if (w->syncs <= p->int3_syncs)
        return "first byte stored before the INT3 was synchronised";
    p->first = true;
    p->first_syncs = w->syncs;
    return NULL;
}

static const char *on_tail(struct progress *p, const struct walk *w, unsigned offset, unsigned len)
{
    if (!p->int3)
        return "no INT3 before the tail";
    if (p->first)
        return "tail stored after the first byte";
    if (w->syncs <= p->int3_syncs)
        return "tail stored before the INT3 was synchronised";
    p->tail |= ((1u << len) - 1) << offset;
    p->tail_syncs = w->syncs;
    return NULL;
}

/* The last byte stored once more, when it is there already: it changes nothing. */
static bool is_echo(const struct poke_entry *entry, const struct progress *p,
                    const struct poke_event *event, unsigned offset)
{
    return p->first && event->len == 1 && offset == entry->len - 1u &&
           event->byte == entry->text[offset];
}

static const struct poke_entry *entry_at(const struct poke_table *table,
                                         const struct poke_event *event)
{
    const struct poke_entry *entry = poke_table_at_or_below(table, event->what);

    return entry && event->what + event->len <= entry->addr + entry->len ? entry : NULL;
}

/* Of the next batch, which began when this one had been left open? Its own check judges it. */
static bool is_of_next(const struct walk *w, const struct poke_event *event)
{
    return w->next_published && entry_at(&poke_tables[!index_of(w->table)], event);
}

static const char *on_store(struct walk *w, const struct poke_event *event)
{
    const struct poke_entry *entry = entry_at(w->table, event);

    if (!entry)
        return is_of_next(w, event) ? NULL : "store outside the batch's sites";

    struct progress *p = &progress[entry - w->table->entries];
    unsigned offset = event->what - entry->addr;

    w->site = entry->addr;
    if (is_echo(entry, p, event, offset))
        return NULL;
    if (w->in_sync)
        return "store inside a sync";
    if (w->retired)
        return "store after retire";
    if (offset)
        return on_tail(p, w, offset, event->len);
    if (event->len > 1)
        return "first byte stored together with others";
    if (event->byte != INT3_INSN_OPCODE || p->int3)
        return on_first_byte(entry, p, w);
    if (!w->published)
        return "INT3 stored before publish";
    p->int3 = true;
    p->int3_syncs = w->syncs;
    return NULL;
}

/* Is every entry finished, and its last store synchronised? */
static const char *on_retire(struct walk *w)
{
    if (!w->published)
        return "retired, but not published";
    for (unsigned i = 0; i < w->table->count; i++) {
        const struct poke_entry *entry = &w->table->entries[i];
        const struct progress *p = &progress[i];

        w->site = entry->addr;
        if (!p->int3)
            return "retired, but the INT3 was never stored";
        if (w->syncs <= p->int3_syncs)
            return "retired before the INT3 was synchronised";
        if (!tail_complete(entry, p))
            return "retired before the tail was stored";
        if (p->tail && w->syncs <= p->tail_syncs)
            return "retired before the tail was synchronised";
        if (!p->first && entry->text[0] != INT3_INSN_OPCODE)
            return "retired before the first byte was stored";
        if (p->first && w->syncs <= p->first_syncs)
            return "retired before the first byte was synchronised";
    }
    w->site = 0;
    w->retired = true;
    return NULL;
}

static const char *on_event(struct walk *w, const struct poke_event *event)
{
    if (w->retired && event->kind != POKE_EV_STORE)
        return NULL; /* of the next batch, if it is anything */
    switch ((enum poke_event_kind)event->kind) {
    case POKE_EV_PUBLISH:
        w->published |= event->what == w->batch;
        w->next_published |= event->what != w->batch;
        return NULL;
    case POKE_EV_STORE:
        return on_store(w, event);
    case POKE_EV_SYNC_BEGIN:
        w->in_sync = true;
        w->own_ack = false;
        w->round = event->what;
        w->sync_begin = event->time;
        return NULL;
    case POKE_EV_ACK:
        w->own_ack |= w->in_sync && event->what == w->round;
        return NULL;
    case POKE_EV_SYNC_END:
        return on_sync_end(w, event);
    case POKE_EV_RETIRE:
        return event->what == w->batch ? on_retire(w) : NULL;
    case POKE_EV_AWAY:
        return "the patcher was away";
    case POKE_EV_NONE:
        break;
    }
    return "unknown event";
}

static const char *walk_log(struct walk *w, const struct poke_core *patcher)
{
    const char *fault = NULL;

    for (unsigned i = 0; i < w->table->count; i++)
        progress[i] = (struct progress){ 0 };
    for (uint32_t i = patcher->log_mark[index_of(w->table)]; i != patcher->log->next && !fault;
         i++) {
        const struct poke_event *event =
            is_overwritten(patcher->log, i, patcher->log->next) ? NULL : event_at(patcher->log, i);

        w->site = 0;
        fault = event ? on_event(w, event) : "the patcher's event log has been overrun";
    }
    if (!fault && !w->retired)
        fault = "not retired";
    return fault;
}

void poke_order_check_finish(const struct poke_table *table, uint64_t batch)
{
    struct walk w = { .table = table, .batch = batch, .silent_core = machine_this_core() };

    if (!active[index_of(table)])
        return;

    const char *fault = walk_log(&w, machine_this_poke_core());

    poke_count.order_checked++;
    if (!fault)
        return;
    poke_count.order_violations++;
    if (!first_fault.what)
        first_fault = (struct poke_order_fault){ .what = fault,
                                                 .site = w.site,
                                                 .core = w.silent_core,
                                                 .sync = w.in_sync ? w.syncs + 1u : 0,
                                                 .batch = batch };
}

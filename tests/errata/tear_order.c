/* SPDX-License-Identifier: MIT */
/*
 * The counter pair: in which order does a core see the parts of one store? Two instructions hold
 * the same 16-bit counter, and each store of 8 bytes counts both up.
 *
 *     mov eax, n        B8 [n n 0 0]        the store covers what is in brackets
 *     mov ebx, n       [BB  n n 0] 0
 *
 * An execution that sees the first one old and the second one new met the store in between: every
 * processor may. The first one new and the second one old is what AMD excludes for a store inside
 * one naturally aligned quadword (APM vol 2, 7.6.1: "A then B', never A' then B"); Intel says
 * nothing.
 */
#include "tests/errata/tear_order.h"

#include "kernel/trap/trap.h"
#include "tests/errata/tear_bound.h"
#include "tests/errata/tear_race.h"

#define STORE_AT   1u    /* the first immediate */
#define STORE_SIZE 8u    /* bytes */
#define STEP_MAX   16384 /* a larger one may have come round once: it is dropped */
#define QUADWORD   8u

static const uint8_t pair_code[] = { 0xb8, 0, 0, 0, 0, 0xbb, 0, 0, 0, 0 };

struct pair {
    struct tear_run run;
    unsigned chunk;
    uint8_t store[STORE_SIZE];
    struct order_counts counts;
};

/* ---- the reader ---- */

static void execute_pair(void *arg)
{
    struct pair *p = arg;
    struct order_counts *counts = &p->counts;

    p->run.count = p->chunk;
    tear_run(&p->run);
    counts->executions += p->chunk - p->run.count;
    uint64_t a = p->run.registers[0], b = p->run.registers[1];
    int step = (int16_t)(uint16_t)(b - a);

    if (a > UINT16_MAX || b > UINT16_MAX) {
        counts->foreign++;
        return;
    }
    counts->seen += a != p->run.expected;
    if (step > STEP_MAX || step < -STEP_MAX)
        counts->dropped++;
    else if (step > 0)
        counts->forward++;
    else if (step < 0)
        counts->backward++;
    p->run.expected = p->run.expected_last = b;
}

/* ---- the writer ---- */

static const uint8_t *next_pair(void *arg, uint64_t n)
{
    struct pair *p = arg;
    uint16_t counter = (uint16_t)n;

    memcpy(p->store, pair_code + STORE_AT, sizeof p->store);
    memcpy(p->store, &counter, sizeof counter);
    memcpy(p->store + 5, &counter, sizeof counter);
    return p->store;
}

bool order_race(struct tear_setup *setup, const struct store_kind *kind, enum tear_state state,
                unsigned placement, uint64_t ns, struct order_counts *counts)
{
    static struct pair p;
    uint64_t address = tear_store_address(state, STORE_SIZE, placement);
    struct tear_site site = { .code_bytes = sizeof pair_code,
                              .store_at = STORE_AT,
                              .registers = 2 };
    struct writer w = { .kind = kind,
                        .to = address,
                        .image = next_pair,
                        .arg = &p,
                        .pace_ns = setup->pace_ns,
                        .random = { prng_next(&setup->random) } };
    struct tear_race race = { .step = execute_pair, .arg = &p, .yields = setup->yields };

    memcpy(site.code, pair_code, sizeof pair_code);
    p = (struct pair){ .run = { .first = address, .last = address + STORE_SIZE - 1 },
                       .chunk = tear_chunk(setup, state) };
    p.run.entry = tear_code_write(&site, state, address);
    if (!tear_race(&race, setup->reader, &w, ns))
        return false;
    p.counts.stores = w.stores;
    p.counts.faults = race.faults;
    p.counts.lost = w.lost;
    *counts = p.counts;
    return true;
}

/* ---- the verdict ---- */

bool order_is_promised(enum vendor vendor, const struct store_kind *kind, unsigned placement)
{
    return vendor == VENDOR_AMD && kind->pieces == 1 && !kind->weak && placement % QUADWORD == 0 &&
           placement != PLACEMENT_PAGE;
}

void order_judge(struct test_run *t, enum vendor vendor, const struct store_kind *kind,
                 unsigned placement, const struct order_counts *c)
{
    if (c->foreign || c->lost)
        FAIL("%s at %u: %llu executions with bytes that were never stored, last store %s",
             kind->name, placement, (unsigned long long)c->foreign, c->lost ? "lost" : "there");
    if (order_is_promised(vendor, kind, placement) && (c->backward || c->faults))
        FAIL("%s at %u: %llu times the first instruction new and the second old, %llu faults, in "
             "%llu changes; guaranteed: APM vol 2 (24593), 7.6.1",
             kind->name, placement, (unsigned long long)c->backward, (unsigned long long)c->faults,
             (unsigned long long)c->seen);
}

/* ---- the sweep ---- */

struct order_sweep {
    struct test_run *t;
    const struct tear_sweep *sweep;
    struct tear_setup setup;
    uint64_t ns; /* for each cell */
    unsigned unseen, control_blind;
};

static void record(const struct order_sweep *o, const struct store_kind *kind,
                   enum tear_state state, unsigned placement, const struct order_counts *c)
{
    struct json *j = tear_record_begin(o->t, "cell");

    json_string(j, "store", kind->name);
    json_string(j, "reader", tear_state_name(state));
    json_uint(j, "placement", placement);
    json_string(j, "vendor",
                order_is_promised(o->sweep->vendor, kind, placement) ? "guaranteed"
                                                                     : "unspecified");
    json_uint(j, "executions", c->executions);
    json_uint(j, "stores", c->stores);
    json_uint(j, "seen", c->seen);
    json_uint(j, "forward", c->forward);
    json_uint(j, "backward", c->backward);
    json_uint(j, "backward_high_e12", rate_bounds(c->backward, c->seen + c->backward).high);
    json_uint(j, "dropped", c->dropped);
    json_uint(j, "faults", c->faults);
    tear_record_end(j);
}

static bool is_enough(const struct store_kind *kind, const struct order_counts *c)
{
    return c->seen && (kind != store_kind_find(ORDER_CONTROL) || c->backward);
}

static void visit(void *arg, const struct store_kind *kind, enum tear_state state,
                  unsigned placement)
{
    struct order_sweep *o = arg;
    struct test_run *t = o->t;
    struct order_counts c = { 0 };

    for (unsigned try = 0; try < TEAR_TRIES && !is_enough(kind, &c); try++) {
        if (!order_race(&o->setup, kind, state, placement, o->ns << try, &c)) {
            ERROR("text cannot be written for a cell");
            return;
        }
    }
    record(o, kind, state, placement, &c);
    order_judge(t, o->sweep->vendor, kind, placement, &c);
    saw(SEE_EXECUTIONS, c.executions);
    saw(SEE_OVERLAPS, c.seen);
    o->unseen += c.seen == 0;
    o->control_blind += kind == store_kind_find(ORDER_CONTROL) && c.backward == 0;
}

TEST(errata, fetch_order,
     "of one store inside an aligned quadword no core fetches the end before the beginning",
     .cpus = 2, .budget_ms = 500, .default_ms = 1000,
     .must_see = { { SEE_EXECUTIONS, 10000 }, { SEE_OVERLAPS, 500 } })
{
    struct tear_sweep sweep;
    struct order_sweep o = { .t = t, .sweep = &sweep };

    if (!tear_sweep_choose(t, &sweep) || !tear_sweep_setup_first(t, &sweep, &o.setup))
        return;
    tear_sweep_narrow(&sweep);
    unsigned cells = tear_sweep_visit(&sweep, STORE_SIZE, NULL, NULL);

    if (cells == 0 || !tear_code_init()) {
        SKIP("no store of %u bytes is asked for that can go to these places", STORE_SIZE);
        return;
    }
    o.ns = tear_sweep_cell_ns(t, cells);
    json_uint(&t->data, "reader_core", o.setup.reader);
    json_uint(&t->data, "cell_us", o.ns / 1000);
    json_uint(&t->data, "cells", cells);
    tear_sweep_visit(&sweep, STORE_SIZE, visit, &o);
    if (o.control_blind)
        WEAK("blind: a store of two halves was always seen in order in %u cells", o.control_blind);
    if (o.unseen)
        WEAK("%u of %u cells saw no change of their code", o.unseen, cells);
}

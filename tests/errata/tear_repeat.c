/* SPDX-License-Identifier: MIT */
/*
 * Is an instruction executed once when its neighbour is changed? The AMD-K6 executed some twice
 * after it had noticed a change of code (revision B, erratum 2.6.2).
 *
 *     inc rbx        [48 FF C3       the store covers what is in brackets and changes the last
 *     mov eax, n      B8 n n n n]    four bytes; the loop's own counter says what rbx should be
 */
#include "kernel/trap/trap.h"
#include "tests/errata/tear_race.h"
#include "tests/errata/tear_sweep.h"

#define STORE_SIZE 8u
#define RBX        1u /* in the order of tear_run() */

static const uint8_t code_once[] = { 0x48, 0xff, 0xc3, 0xb8, 0, 0, 0, 0 };
static const uint8_t inc_rbx[] = { 0x48, 0xff, 0xc3 };

struct repeat {
    struct tear_run run;
    unsigned chunk;
    uint8_t store[2][STORE_SIZE];
    uint64_t executions, seen, mixed;
    uint64_t more, fewer; /* times that the instruction was executed too often, too rarely */
};

static void execute(void *arg)
{
    struct repeat *r = arg;
    uint64_t made, counted, value;

    r->run.count = r->chunk;
    tear_run(&r->run);
    made = r->chunk - r->run.count;
    counted = r->run.registers[RBX];
    value = r->run.registers[0];
    r->executions += made;
    r->more += counted > made ? counted - made : 0;
    r->fewer += counted < made ? made - counted : 0;
    if (value != 0 && value != UINT32_MAX) {
        r->mixed++; /* the tear map's business */
    } else if (value != r->run.expected_last) {
        r->seen++;
        r->run.expected_last = value;
    }
}

static const uint8_t *image_of_store(void *arg, uint64_t n)
{
    return ((const struct repeat *)arg)->store[n & 1];
}

/* With `twice` another INC stands before the first, which nobody changes: the planted fault. */
static struct tear_site make_site(bool twice)
{
    struct tear_site site = { .registers = 1, .counts = true };

    if (twice) {
        memcpy(site.code, inc_rbx, sizeof inc_rbx);
        site.store_at = sizeof inc_rbx;
    }
    memcpy(site.code + site.store_at, code_once, sizeof code_once);
    site.code_bytes = site.store_at + sizeof code_once;
    return site;
}

struct repeat_sweep {
    struct test_run *t;
    const struct tear_sweep *sweep;
    struct tear_setup setup;
    uint64_t ns; /* for each cell */
    unsigned unseen;
    unsigned found; /* cells where the counts differ, promised or not */
    bool twice;
};

static bool race(struct repeat_sweep *o, struct repeat *r, const struct store_kind *kind,
                 enum tear_state state, unsigned placement, uint64_t ns)
{
    uint64_t address = tear_store_address(state, STORE_SIZE, placement);
    struct tear_site site = make_site(o->twice);
    struct tear_race race = { .step = execute, .arg = r, .yields = o->setup.yields };
    struct writer w = { .kind = kind,
                        .to = address,
                        .image = image_of_store,
                        .arg = r,
                        .pace_ns = o->setup.pace_ns,
                        .random = { prng_next(&o->setup.random) } };

    *r = (struct repeat){ .run = { .first = address, .last = address + STORE_SIZE - 1 },
                          .chunk = tear_chunk(&o->setup, state) };
    for (unsigned i = 0; i < 2; i++) {
        memcpy(r->store[i], code_once, STORE_SIZE);
        memset(r->store[i] + 4, i ? 0xff : 0, 4);
    }
    r->run.entry = tear_code_write(&site, state, address);
    return tear_race(&race, o->setup.reader, &w, ns);
}

static void visit(void *arg, const struct store_kind *kind, enum tear_state state,
                  unsigned placement)
{
    struct repeat_sweep *o = arg;
    struct test_run *t = o->t;
    static struct repeat r;

    r.seen = 0;
    for (unsigned try = 0; try < TEAR_TRIES && !r.seen; try++) {
        if (!race(o, &r, kind, state, placement, o->ns << try)) {
            ERROR("text cannot be written for a cell");
            return;
        }
    }
    struct json *j = tear_record_begin(t, "cell");

    json_string(j, "store", kind->name);
    json_string(j, "reader", tear_state_name(state));
    json_uint(j, "placement", placement);
    json_uint(j, "executions", r.executions);
    json_uint(j, "seen", r.seen);
    json_uint(j, "mixed", r.mixed);
    json_uint(j, "more", r.more);
    json_uint(j, "fewer", r.fewer);
    tear_record_end(j);
    struct promise promise =
        promise_of_store(o->sweep->vendor, kind, tear_sweep_offset(STORE_SIZE, placement));
    o->found += r.more || r.fewer;
    if ((r.more || r.fewer) && promise.kind == PROMISE_WHOLE)
        FAIL("%s at %u, %s: an instruction was executed %llu times too often and %llu too rarely "
             "in %llu executions, %llu changes; %s: %s",
             kind->name, placement, tear_state_name(state), (unsigned long long)r.more,
             (unsigned long long)r.fewer, (unsigned long long)r.executions,
             (unsigned long long)r.seen, promise_name(promise.kind), promise.source);
    saw(SEE_EXECUTIONS, r.executions);
    saw(SEE_OVERLAPS, r.seen);
    o->unseen += r.seen == 0;
}

static void sweep_all(struct test_run *t, bool twice)
{
    struct tear_sweep sweep;
    struct repeat_sweep o = { .t = t, .sweep = &sweep, .twice = twice };

    if (!tear_sweep_choose(t, &sweep) || !tear_sweep_setup_first(t, &sweep, &o.setup))
        return;
    tear_sweep_narrow(&sweep);
    if (twice)
        sweep.vendor = VENDOR_AMD; /* the one who promises something */
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
    json_uint(&t->data, "cells_found", o.found);
    if (o.unseen)
        WEAK("%u of %u cells saw no change of their code", o.unseen, cells);
}

TEST(errata, executed_once, "an instruction beside one that is changed is executed exactly once",
     .cpus = 2, .budget_ms = 500, .default_ms = 500,
     .must_see = { { SEE_EXECUTIONS, 10000 }, { SEE_OVERLAPS, 500 } })
{
    sweep_all(t, false);
}

TEST(selftest, fault_executed_twice, "must fail: code that executes an instruction twice",
     .cpus = 2, .budget_ms = 500, .default_ms = 200)
{
    sweep_all(t, true);
}

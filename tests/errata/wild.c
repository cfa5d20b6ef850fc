/* SPDX-License-Identifier: MIT */
/*
 * Each protocol in the wild, at each place where it is defined, in a race: torn, stale and faulting
 * executions are counted, with what was seen at all.
 */
#include "tests/errata/wild.h"

#include "kernel/lib/string.h"
#include "tests/errata/levels.h"
#include "tests/errata/wild_patch.h"
#include "tests/harness/live.h"
#include "tests/harness/machine_record.h"
#include "tests/lib/hits.h"
#include "tests/lib/own_breakpoints.h"

#define CELL_MS     60
#define EMULATED_MS 25
#define SITES       3
#define TRIES       5  /* races of a cell, more if they are short, until it has shown enough */
#define ENOUGH      40 /* overlapping executions; a cell that saw fewer says nothing */

static const char *const place_names[WILD_PLACES] = { "in 8",      "across 8",  "across 16",
                                                      "across 32", "across 64", "across page" };

/* Offset of a slot, the `n`th of its kind, whose first `len` bytes are placed. */
static uint32_t offset_of(enum wild_place place, unsigned len, unsigned n)
{
    static const uint16_t boundary[WILD_PLACES] = { 0, 8, 16, 32, 64, 4096 };
    unsigned before = 1 + n % (len - 1); /* bytes in front of the boundary */
    uint32_t page = 0x1000 * n + 0x400;

    if (place == IN_8)
        return page + (len <= 5 ? 4 * (n & 1 && len <= 4) : 0);
    if (place == ACROSS_PAGE)
        return 0x1000 * n + 0x1000 - before;
    return page + boundary[place] - before;
}

bool wild_in_ring_0(void)
{
    uint16_t cs;

    __asm__("mov %%cs, %0" : "=r"(cs));
    return (cs & 3) == 0;
}

uint8_t wild_family_5(void)
{
    return wild_in_ring_0() ? SITE_5_CALLS : SITE_5;
}

static void specify(struct site_spec specs[static SITES], const struct wild_row *row,
                    enum wild_place place)
{
    static const uint8_t placed[SITE_FAMILIES] = {
        [SITE_5] = 5, [SITE_2] = 2, [SITE_5_NOPS] = 5, [SITE_11] = 2 /* the sled's head */
    };

    uint8_t family = row->family == SITE_5 ? wild_family_5() : row->family;

    for (unsigned i = 0; i < SITES; i++)
        specs[i] = (struct site_spec){ family, offset_of(place, placed[row->family], i) };
}

/* Without a word from any other vendor, Intel's counts. */
static enum promise_kind promise_of(const struct wild_row *row, enum wild_place place)
{
    const uint8_t *promises = promise_vendor() == VENDOR_AMD ? row->amd : row->intel;

    return (enum promise_kind)promises[place];
}

struct cell {
    uint64_t executions, overlaps, patches, torn, stale, faults;
    struct hits hits; /* of all executing cores */
};

static void add(struct cell *c, const struct race_result *r)
{
    for (unsigned i = 0; i < EXEC_CONTEXTS; i++)
        c->executions += r->executions[i];
    c->overlaps += r->overlaps;
    c->patches += r->patcher.singles + r->patcher.batch_sites;
    c->torn += r->outcomes[OUTCOME_TORN];
    c->stale += r->outcomes[OUTCOME_STALE];
    c->faults += r->outcomes[OUTCOME_FAULT];
}

static void record(struct json *j, const struct wild_row *row, enum wild_place place,
                   const struct cell *c)
{
    json_object(j, NULL);
    json_string(j, "protocol", row->name);
    json_string(j, "placement", place_names[place]);
    json_string(j, "vendor", promise_name(promise_of(row, place)));
    json_uint(j, "executions", c->executions);
    json_uint(j, "overlaps", c->overlaps);
    json_uint(j, "patches", c->patches);
    json_uint(j, "torn", c->torn);
    json_uint(j, "faults", c->faults);
    json_uint(j, "stale", c->stale);
    json_bool(j, "stale_counts", row->synchronises);
    hits_record_counts(j, HITS_OTHERS, &c->hits);
    json_object_end(j);
}

static uint64_t bad_in(const struct wild_row *row, const struct cell *c)
{
    return c->torn + c->faults + (row->synchronises ? c->stale : 0);
}

static void judge(struct test_run *t, const struct race_result *r, const struct wild_row *row,
                  enum wild_place place, const struct cell *c)
{
    uint64_t bad = bad_in(row, c);
    char text[sizeof t->reason];

    switch (promise_of(row, place)) {
    case PROMISE_WHOLE:
        if (bad) {
            race_describe_finding(r, text, sizeof text);
            FAIL("%s, %s: %llu of %llu executions: %s", row->name, place_names[place],
                 (unsigned long long)bad, (unsigned long long)c->executions, text);
        }
        break;
    case PROMISE_TORN: /* an emulator that takes turns shows only what lies between its turns */
        if (!bad && (!machine_is_emulated() || row->tears_in_turns))
            WEAK("blind: %s, %s did not tear in %llu executions", row->name, place_names[place],
                 (unsigned long long)c->executions);
        break;
    case PROMISE_UNSPECIFIED:
        break;
    }
    if (c->overlaps < ENOUGH)
        WEAK("%s, %s: %llu executions overlapped a patch", row->name, place_names[place],
             (unsigned long long)c->overlaps);
}

/* Has the cell shown what it must, or can it not show more? */
static bool is_enough(const struct wild_row *row, enum wild_place place, const struct cell *c)
{
    return c->overlaps >= ENOUGH && (promise_of(row, place) != PROMISE_TORN || bad_in(row, c));
}

const struct race_result *wild_race(struct test_run *t, const struct wild_row *row,
                                    const struct site_spec *specs, unsigned count, uint64_t ms)
{
    struct race_plan plan = { .specs = specs,
                              .count = count,
                              .ms = ms,
                              .least_runs = 50,
                              .protocol = row->protocol,
                              .patch = row->patch,
                              .prepare = wild_stores_set,
                              .count_all = true };

    if (row->retries_int3)
        own_breakpoints_begin(wild_retry_int3);
    const struct race_result *r = race_run(t, &plan);
    if (row->retries_int3)
        own_breakpoints_end();
    return r;
}

const struct wild_row *wild_find(const char *name)
{
    for (unsigned i = 0; i < wild_row_count; i++)
        if (strcmp(wild_rows[i].name, name) == 0)
            return &wild_rows[i];
    return NULL;
}

static void run_cell(struct test_run *t, const struct wild_row *row, enum wild_place place,
                     uint64_t ms)
{
    struct site_spec specs[SITES];
    struct cell c = { 0 };
    const struct race_result *r = NULL;
    struct hits before = hits_of_others(), after;
    unsigned tries = ms < CELL_MS ? TRIES * CELL_MS / (unsigned)ms : TRIES;

    specify(specs, row, place);
    for (unsigned i = 0; i < tries && !is_enough(row, place, &c); i++) {
        live_look();
        r = wild_race(t, row, specs, SITES, ms);
        if (!r->ran)
            return;
        add(&c, r);
        if (promise_of(row, place) == PROMISE_WHOLE && bad_in(row, &c))
            break; /* its finding is the last race's */
    }
    after = hits_of_others();
    c.hits = hits_between(&before, &after);
    record(&t->data, row, place, &c);
    judge(t, r, row, place, &c);
    saw(SEE_EXECUTIONS, c.executions);
    saw(SEE_OVERLAPS, c.overlaps);
    saw(SEE_PATCHES, c.patches);
}

/* Which rows word protocol= asks for. */
static bool choose(struct test_run *t, uint64_t *wanted)
{
    static const char *names[64];
    struct levels levels = { "protocol", names, wild_row_count };

    for (unsigned i = 0; i < wild_row_count; i++)
        names[i] = wild_rows[i].name;
    return levels_wanted(t, &levels, test_words()->protocol, wanted);
}

static unsigned places_of(const struct wild_row *row)
{
    if (wild_in_ring_0() && (row->family == SITE_5_NOPS || row->family == SITE_11))
        return 0;
    return row->only_in_8 ? 1 : WILD_PLACES;
}

/* Word seconds= is for all cells together. */
static uint64_t cell_ms(uint64_t wanted)
{
    unsigned cells = 0;

    if (!test_duration_given())
        return machine_is_emulated() ? EMULATED_MS : CELL_MS;
    for (unsigned i = 0; i < wild_row_count; i++)
        cells += wanted >> i & 1 ? places_of(&wild_rows[i]) : 0;
    return cells ? test_words()->seconds * 1000 / cells : 0;
}

TEST(errata, wild,
     "protocols in the wild, at each place: what the vendor promises holds, what is broken shows",
     .cpus = 2, .default_ms = 8000, .must_see = { { SEE_OVERLAPS, 100 }, { SEE_PATCHES, 100 } })
{
    uint64_t wanted;

    if (!choose(t, &wanted))
        return;
    uint64_t ms = cell_ms(wanted);

    hits_open();
    hits_record(&t->data, HITS_OTHERS);
    json_array(&t->data, "cells");
    for (unsigned i = 0; i < wild_row_count; i++) {
        for (unsigned place = IN_8; place < places_of(&wild_rows[i]) && wanted >> i & 1; place++)
            run_cell(t, &wild_rows[i], (enum wild_place)place, ms);
    }
    json_array_end(&t->data);
    hits_close();
}

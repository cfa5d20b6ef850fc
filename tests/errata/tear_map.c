/* SPDX-License-Identifier: MIT */
/* The tear map: which cells, how the time is spent on them, and what their counts mean. */
#include "kernel/mm/mm.h"
#include "kernel/time/time.h"
#include "tests/errata/tear.h"
#include "tests/harness/live.h"
#include "tests/harness/machine_record.h"

#define QUICK_LEAST_NS 500000u
#define QUICK_MOST_NS  20000000u
#define BLIND_MOST_NS  8000000000u /* well below word hang= */
#define IDLE_NS        20000000u

/* ---- which cells ---- */

/* In a short run the reader's other states go to the placements that matter most. */
static bool is_worth_it(const struct tear_map *map, unsigned state, unsigned placement)
{
    return map->whole || state == TEAR_HOT || state == TEAR_DATA || map->sweep->states_named ||
           tear_sweep_is_edge(placement);
}

static void add_cells(struct tear_map *map, const struct store_kind *kind)
{
    for (unsigned state = 0; state < TEAR_STATE_COUNT; state++) {
        if (state == TEAR_DATA && !tear_has_load(kind))
            continue;
        for (unsigned i = 0; i < PLACEMENTS; i++) {
            if (tear_sweep_has(map->sweep, kind, state, i) && is_worth_it(map, state, i))
                map->cells[map->count++] =
                    (struct tear_cell){ .kind = kind, .state = state, .placement = i };
        }
    }
}

static bool allocate_cells(struct tear_map *map)
{
    static struct tear_cell *cells;
    size_t bytes = store_kind_count * TEAR_STATE_COUNT * PLACEMENTS * sizeof *cells;

    if (!cells)
        cells = pages_alloc_virt((bytes + PAGE_SIZE - 1) / PAGE_SIZE);
    map->cells = cells;
    return cells && tear_code_init();
}

/* ---- the time ---- */

static bool run_cell(struct test_run *t, struct tear_map *map, struct tear_cell *cell, uint64_t ns)
{
    live_look();
    if (!tear_slice(&map->setup, cell, ns)) {
        ERROR("text cannot be written for a cell");
        return false;
    }
    map->slices++;
    return true;
}

/*
 * What a cell knows: changes seen, the more the better. A control and a cell that has shown its
 * rate need fewer, and a single byte has nothing to show.
 */
static uint64_t evidence(const struct tear_cell *cell)
{
    uint64_t weight = cell->kind->bytes == 1 || cell->counts.torn > 30 ? 16
                      : cell->state == TEAR_DATA                       ? 4
                                                                       : 1;

    return cell->counts.seen * weight;
}

/* The cell with the least evidence, of those that have not had several times their share. */
static struct tear_cell *weakest(struct tear_map *map, uint64_t most_ns)
{
    struct tear_cell *found = NULL;

    for (unsigned i = 0; i < map->count; i++) {
        struct tear_cell *cell = &map->cells[i];

        if (cell->counts.ns < most_ns && (!found || evidence(cell) < evidence(found)))
            found = cell;
    }
    return found;
}

/* Must this cell have shown more, whatever the vendor says? */
static bool is_blind(const struct tear_cell *cell)
{
    return cell->counts.seen == 0 ||
           (cell->kind == store_kind_find(TEAR_CONTROL) && cell->counts.torn == 0);
}

static struct tear_cell *next_blind(struct tear_map *map)
{
    for (unsigned i = 0; i < map->count; i++) {
        if (is_blind(&map->cells[i]))
            return &map->cells[i];
    }
    return NULL;
}

/* All cells of one state, while there is time. */
static bool quick_pass(struct test_run *t, struct tear_map *map, enum tear_state state, uint64_t ns,
                       uint64_t last)
{
    for (unsigned i = 0; i < map->count && rdtsc() < last; i++) {
        if (map->cells[i].state == state && !run_cell(t, map, &map->cells[i], ns))
            return false;
    }
    return true;
}

/*
 * A quick pass over all; then what is left of the time where it is needed; then, where cores are
 * shared with other programs and the two sides did not meet, some more for the blind.
 */
static bool run_cells(struct test_run *t, struct tear_map *map, uint64_t total_ns)
{
    static const enum tear_state order[] = { TEAR_HOT, TEAR_DATA, TEAR_EVICTED, TEAR_LINE,
                                             TEAR_CALL };
    uint64_t share = total_ns / (map->count + 1), quick = share / 2;
    uint64_t begin = rdtsc(), end = begin + time_ns_to_ticks(total_ns);
    uint64_t last = end + time_ns_to_ticks(BLIND_MOST_NS);
    struct tear_cell *cell;

    quick = quick < QUICK_LEAST_NS ? QUICK_LEAST_NS : quick > QUICK_MOST_NS ? QUICK_MOST_NS : quick;
    for (unsigned i = 0; i < TEAR_STATE_COUNT; i++) {
        if (!quick_pass(t, map, order[i], quick, last))
            return false;
    }
    while (rdtsc() < end && (cell = weakest(map, 4 * share)) != NULL) {
        if (!run_cell(t, map, cell, 2 * quick))
            return false;
    }
    while (rdtsc() < last && (cell = next_blind(map)) != NULL) {
        if (!run_cell(t, map, cell, 2 * quick))
            return false;
    }
    map->ns = time_ticks_to_ns(rdtsc() - begin);
    return true;
}

/* ---- one reader ---- */

static void add_rates(struct json *j, const struct tear_map *map)
{
    uint64_t executions = 0, stores = 0, ns = 0, racing = 0;

    for (unsigned i = 0; i < map->count; i++) {
        const struct tear_cell *cell = &map->cells[i];

        racing += cell->counts.ns;
        if (cell->state != TEAR_HOT)
            continue;
        executions += cell->counts.executions;
        stores += cell->counts.stores;
        ns += cell->counts.ns;
    }
    json_uint(j, "executions_per_s_idle", map->idle_per_s);
    json_uint(j, "executions_per_s_toggling", ns < 1000 ? 0 : executions * 1000000 / (ns / 1000));
    json_uint(j, "stores_per_s", ns < 1000 ? 0 : stores * 1000000 / (ns / 1000));
    json_uint(j, "racing_ms", racing / 1000000);
    json_uint(j, "ms", map->ns / 1000000);
}

static void add_summary(struct json *j, const struct tear_map *map)
{
    json_object(j, NULL);
    json_string(j, "relation", relation_name(map->relation));
    json_uint(j, "reader_core", map->setup.reader);
    json_string(j, "vendor", promise_vendor_name(map->sweep->vendor));
    json_string(j, "split_locks", map->sweep->split_locks ? map->sweep->split_locks : "allowed");
    json_uint(j, "cells", map->count);
    json_uint(j, "slices", map->slices);
    json_uint(j, "pace_ns", map->setup.pace_ns);
    hits_record(j, (int)map->setup.reader);
    add_rates(j, map);
    json_object_end(j);
}

static void run_map(struct test_run *t, const struct tear_sweep *sweep, enum relation relation,
                    uint64_t ns)
{
    struct tear_map map = { .relation = relation, .sweep = sweep, .whole = test_duration_given() };

    if (!tear_sweep_setup(t, relation, &map.setup)) {
        SKIP("no core stands in relation '%s' to core 0", relation_name(relation));
        return;
    }
    if (!allocate_cells(&map)) {
        ERROR("no memory for the cells");
        return;
    }
    for (unsigned i = 0; i < store_kind_count; i++)
        add_cells(&map, &store_kinds[i]);
    if (map.count == 0) {
        SKIP("none of the stores that are asked for can go to the places that are");
        return;
    }
    map.idle_per_s = tear_idle_rate(&map.setup, &map.cells[0], IDLE_NS);
    if (!run_cells(t, &map, ns))
        return;
    tear_report(t, &map);
    add_summary(&t->data, &map);
    tear_judge(t, &map);
}

TEST(errata, tear_map, "a store that the vendor calls atomic for fetches is never seen in part",
     .cpus = 2, .budget_ms = 500, .default_ms = 5000,
     .must_see = { { SEE_EXECUTIONS, 100000 }, { SEE_OVERLAPS, 1000 } })
{
    uint64_t ns = tear_sweep_ns(t);
    struct tear_sweep sweep;
    unsigned relations = 0;

    if (!tear_sweep_choose(t, &sweep))
        return;
    if (machine_is_emulated())
        tear_sweep_narrow(&sweep); /* it has no caches that could differ */
    sweep.states |= 1u << TEAR_DATA;
    for (unsigned i = 0; i < RELATION_COUNT; i++)
        relations += sweep.relations >> i & 1;
    hits_open();
    json_array(&t->data, "maps");
    for (unsigned i = 0; i < RELATION_COUNT; i++) {
        if (sweep.relations >> i & 1)
            run_map(t, &sweep, (enum relation)i, ns / relations);
    }
    json_array_end(&t->data);
    hits_close();
}

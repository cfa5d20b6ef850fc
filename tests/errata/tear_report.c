/* SPDX-License-Identifier: MIT */
/* The tear map as text, a strip of columns per kind of store, and as records in full. */
#include "kernel/console/console.h"
#include "kernel/lib/fmt.h"
#include "tests/errata/tear.h"
#include "tests/errata/tear_bound.h"

/* Cells of one kind in one state, by placement. NULL: not defined or not asked for. */
typedef const struct tear_cell *row_cells[PLACEMENTS];

/* ---- the strip ---- */

/* How many times smaller than 1, in powers of ten: '0' for 1 down to above 0.1. */
static char magnitude(uint64_t rate)
{
    char digit = '0';

    for (; digit < '9' && rate * 10 <= RATE_ONE; digit++)
        rate *= 10;
    return digit;
}

static char column(const struct tear_map *map, const struct tear_cell *cell)
{
    if (!cell)
        return ' ';
    const struct tear_counts *c = &cell->counts;

    if (c->torn && tear_promise(map, cell).kind == PROMISE_WHOLE)
        return '!';
    if (c->torn)
        return magnitude(rate_of(c->torn, c->seen + c->torn));
    return c->seen < TEAR_ENOUGH ? '?' : '.';
}

static void make_strip(const struct tear_map *map, row_cells row, char strip[PLACEMENTS + 1])
{
    for (unsigned i = 0; i < PLACEMENTS; i++)
        strip[i] = column(map, row[i]);
    strip[PLACEMENTS] = '\0';
}

static void print_strip(const struct tear_cell *cell, const char *strip)
{
    con_printf("# tear %-15s %-7s |%.16s|%.16s|%.16s|%.16s| %s\n", cell->kind->name,
               tear_state_name(cell->state), strip, strip + 16, strip + 32, strip + 48,
               strip + PLACEMENT_PAGE);
}

static void print_header(const struct tear_map *map)
{
    static const char tens[] =
        "|0         1     |    2         3 |        4       |  5         6   |";

    con_printf("# tear map: torn per change of the code that the reader saw; reader: core %u "
               "(%s)\n",
               map->setup.reader, relation_name(map->relation));
    con_printf("# tear  . none in %u changes or more   ? none in fewer   0-9 one in 10^n   "
               "! seen and forbidden\n",
               TEAR_ENOUGH);
    con_printf("# tear %-15s %-7s %s page\n", "first byte at", "", tens);
}

/* ---- the record ---- */

static void add_placements(struct json *j, const char *key, row_cells row,
                           uint64_t (*value)(const struct tear_cell *cell))
{
    json_array(j, key);
    for (unsigned i = 0; i < PLACEMENTS; i++)
        json_uint(j, NULL, row[i] ? value(row[i]) : 0);
    json_array_end(j);
}

static uint64_t upper_bound(const struct tear_cell *cell)
{
    return rate_bounds(cell->counts.torn, cell->counts.seen + cell->counts.torn).high;
}

static uint64_t lower_bound(const struct tear_cell *cell)
{
    return rate_bounds(cell->counts.torn, cell->counts.seen + cell->counts.torn).low;
}

static uint64_t microseconds(const struct tear_cell *cell)
{
    return cell->counts.ns / 1000;
}

#define MEMBERS(X)                                                                                 \
    X(executions)                                                                                  \
    X(new_seen)                                                                                    \
    X(stores)                                                                                      \
    X(seen)                                                                                        \
    X(torn)                                                                                        \
    X(between)                                                                                     \
    X(foreign)                                                                                     \
    X(faults)

#define X(member)                                                                                  \
    static uint64_t get_##member(const struct tear_cell *cell)                                     \
    {                                                                                              \
        return cell->counts.member;                                                                \
    }
MEMBERS(X)
#undef X

/* Of the cells where there are any: {"61":["0x7","0x3"]}. */
static void add_masks(struct json *j, row_cells row)
{
    json_object(j, "masks");
    for (unsigned i = 0; i < PLACEMENTS; i++) {
        char key[8];

        if (!row[i] || !row[i]->counts.masks[0])
            continue;
        fmt_print(key, sizeof key, "%u", i);
        json_array(j, key);
        for (unsigned m = 0; m < TEAR_MASKS && row[i]->counts.masks[m]; m++)
            json_hex(j, NULL, row[i]->counts.masks[m]);
        json_array_end(j);
    }
    json_object_end(j);
}

static void add_faults(struct json *j, row_cells row)
{
    json_array(j, "first_faults");
    for (unsigned i = 0; i < PLACEMENTS; i++) {
        if (!row[i] || !row[i]->counts.faults)
            continue;
        json_object(j, NULL);
        json_uint(j, "placement", i);
        json_string(j, "trap", trap_name((unsigned)row[i]->counts.fault.vector));
        json_hex(j, "rip", row[i]->counts.fault.rip);
        json_object_end(j);
    }
    json_array_end(j);
}

/* {"MACHINE_CLEARS.SMC":[...], ...}; nothing where nothing is counted. */
static void add_hits(struct json *j, const struct pmu *pmu, row_cells row)
{
    if (pmu->count == 0)
        return;
    json_object(j, "hits");
    for (unsigned e = 0; e < pmu->count; e++) {
        json_array(j, pmu->events[e].name);
        for (unsigned i = 0; i < PLACEMENTS; i++)
            json_uint(j, NULL, row[i] ? row[i]->counts.hits.of[e] : 0);
        json_array_end(j);
    }
    json_object_end(j);
}

/* A letter per placement. */
static void add_promises(struct json *j, const struct tear_map *map, row_cells row)
{
    static const char letters[] = {
        [PROMISE_WHOLE] = 'g', [PROMISE_UNSPECIFIED] = 'u', [PROMISE_TORN] = 't'
    };
    char text[PLACEMENTS + 1] = { 0 };

    for (unsigned i = 0; i < PLACEMENTS; i++)
        text[i] = row[i] ? letters[tear_promise(map, row[i]).kind] : ' ';
    json_string(j, "promise", text);
}

static void write_record(const struct test_run *t, const struct tear_map *map, row_cells row,
                         const struct tear_cell *first, const char *strip)
{
    struct json *j = tear_record_begin(t, "tear");

    json_string(j, "store", first->kind->name);
    json_uint(j, "bytes", first->kind->bytes);
    json_string(j, "reader", tear_state_name(first->state));
    json_string(j, "relation", relation_name(map->relation));
    json_string(j, "strip", strip);
    add_promises(j, map, row);
#define X(member) add_placements(j, #member, row, get_##member);
    MEMBERS(X)
#undef X
    add_placements(j, "us", row, microseconds);
    add_placements(j, "low_e12", row, lower_bound);
    add_placements(j, "high_e12", row, upper_bound);
    add_hits(j, hits_counters((int)map->setup.reader), row);
    add_masks(j, row);
    add_faults(j, row);
    tear_record_end(j);
}

/* The cells from `first` on that belong to one kind and state; returns how many. */
static unsigned gather(const struct tear_cell *first, unsigned count, row_cells row)
{
    unsigned n = 0;

    memset(row, 0, sizeof(row_cells));
    for (; n < count && first[n].kind == first->kind && first[n].state == first->state; n++)
        row[first[n].placement] = &first[n];
    return n;
}

void tear_report(struct test_run *t, const struct tear_map *map)
{
    row_cells row;
    char strip[PLACEMENTS + 1];

    print_header(map);
    for (unsigned i = 0, n; i < map->count; i += n) {
        n = gather(&map->cells[i], map->count - i, row);
        make_strip(map, row, strip);
        print_strip(&map->cells[i], strip);
        write_record(t, map, row, &map->cells[i], strip);
    }
}

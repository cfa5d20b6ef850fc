/* SPDX-License-Identifier: MIT */
#include "tests/errata/tear_sweep.h"

#include "tests/harness/machine_record.h"
#include "tests/harness/record.h"

#define CHUNK          2048u
#define CHUNK_EMULATED 256u
#define SLOW_CHUNK     8u /* executions that take a microsecond each */
#define PACE_NS        1500u
#define EMULATED_PART  4u /* of a default duration */
#define CELL_LEAST_NS  300000u

static const char *const reader_names[] = {
#define X(id, name) name,
    TEAR_STATES(X) RELATIONS(X)
#undef X
};
static const struct levels reader_levels = { "reader", reader_names,
                                             sizeof reader_names / sizeof reader_names[0] };

#define STATE_BITS    ((1u << TEAR_STATE_COUNT) - 1)
#define RELATION_BITS ((1u << RELATION_COUNT) - 1)

const char *tear_state_name(unsigned state)
{
    return reader_names[state];
}

bool tear_sweep_choose(struct test_run *t, struct tear_sweep *sweep)
{
    static uint8_t lines[2 * CACHE_LINE] __attribute__((aligned(CACHE_LINE)));
    const struct words *w = test_words();
    bool by_default = levels_is_default(w->reader);
    uint64_t readers;

    if (!levels_wanted(t, store_levels(), w->store, &sweep->kinds) ||
        !levels_wanted(t, &reader_levels, w->reader, &readers) ||
        !placements_wanted(t, sweep->placements))
        return false;
    sweep->states = readers & STATE_BITS;
    sweep->states_named = !by_default && sweep->states;
    if (!sweep->states)
        sweep->states = STATE_BITS;
    sweep->relations = readers >> TEAR_STATE_COUNT & RELATION_BITS;
    if (by_default || !sweep->relations)
        sweep->relations = 1u << RELATION_OTHER;
    for (unsigned i = 0; i < store_kind_count; i++) {
        if (!store_available(&store_kinds[i]))
            sweep->kinds &= ~(1ull << i);
    }
    sweep->vendor = promise_vendor();
    sweep->split_locks = store_split_locks(lines);
    return true;
}

bool tear_sweep_setup(struct test_run *t, enum relation relation, struct tear_setup *setup)
{
    bool emulated = machine_is_emulated();
    int reader = relation_find(0, relation);

    *setup = (struct tear_setup){ .reader = (unsigned)reader,
                                  .chunk = emulated ? CHUNK_EMULATED : CHUNK,
                                  .yields = emulated,
                                  .pace_ns = emulated ? 0 : PACE_NS,
                                  .random = test_prng(t) };
    return reader >= 0;
}

bool tear_sweep_setup_first(struct test_run *t, const struct tear_sweep *sweep,
                            struct tear_setup *setup)
{
    for (unsigned i = 0; i < RELATION_COUNT; i++) {
        if (sweep->relations >> i & 1 && tear_sweep_setup(t, (enum relation)i, setup))
            return true;
    }
    SKIP("no core stands in the relation to core 0 that is asked for");
    return false;
}

unsigned tear_chunk(const struct tear_setup *setup, enum tear_state state)
{
    return state == TEAR_LINE || state == TEAR_EVICTED ? SLOW_CHUNK : setup->chunk;
}

void tear_sweep_narrow(struct tear_sweep *sweep)
{
    if (!sweep->states_named)
        sweep->states = 1u << TEAR_HOT;
    if (!levels_is_default(test_words()->placement))
        return;
    for (unsigned i = 0; i < PLACEMENTS; i++)
        sweep->placements[i] = tear_sweep_is_edge(i);
}

uint64_t tear_sweep_ns(const struct test_run *t)
{
    uint64_t ns = test_duration_ms(t) * 1000000;

    return machine_is_emulated() && !test_duration_given() ? ns / EMULATED_PART : ns;
}

uint64_t tear_sweep_cell_ns(const struct test_run *t, unsigned cells)
{
    uint64_t ns = tear_sweep_ns(t) / cells;

    return ns < CELL_LEAST_NS ? CELL_LEAST_NS : ns;
}

unsigned tear_sweep_offset(unsigned bytes, unsigned placement)
{
    return placement == PLACEMENT_PAGE ? CACHE_LINE - tear_before_edge(bytes) : placement;
}

bool tear_sweep_has(const struct tear_sweep *sweep, const struct store_kind *kind, unsigned state,
                    unsigned placement)
{
    bool crosses = placement + kind->bytes > CACHE_LINE;

    if (!sweep->placements[placement] || !(sweep->kinds >> (kind - store_kinds) & 1) ||
        !(sweep->states >> state & 1))
        return false;
    if (placement == PLACEMENT_PAGE && (kind->bytes < 2 || kind->alignment > 1))
        return false;
    return placement % kind->alignment == 0 && !(kind->locked && crosses && sweep->split_locks);
}

unsigned tear_sweep_visit(const struct tear_sweep *sweep, unsigned bytes, tear_visit visit,
                          void *arg)
{
    unsigned count = 0;

    for (unsigned k = 0; k < store_kind_count; k++) {
        for (unsigned state = 0; state < TEAR_DATA; state++) {
            for (unsigned i = 0; i < PLACEMENTS; i++) {
                if (store_kinds[k].bytes != bytes ||
                    !tear_sweep_has(sweep, &store_kinds[k], state, i))
                    continue;
                count++;
                if (visit)
                    visit(arg, &store_kinds[k], (enum tear_state)state, i);
            }
        }
    }
    return count;
}

struct json *tear_record_begin(const struct test_run *t, const char *key)
{
    struct json *j = record_begin("data");

    json_string(j, "test", t->test->name);
    json_object(j, key);
    return j;
}

void tear_record_end(struct json *j)
{
    json_object_end(j);
    record_end();
}

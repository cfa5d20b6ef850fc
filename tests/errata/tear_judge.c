/* SPDX-License-Identifier: MIT */
/* What the counts of a tear map mean, by what the vendor promises and by the controls. */
#include "tests/errata/tear.h"
#include "tests/harness/machine_record.h"

struct promise tear_promise(const struct tear_map *map, const struct tear_cell *cell)
{
    unsigned offset = tear_sweep_offset(cell->kind->bytes, cell->placement);

    return (cell->state == TEAR_DATA ? promise_of_load : promise_of_store)(map->sweep->vendor,
                                                                           cell->kind, offset);
}

static void judge_cell(struct test_run *t, const struct tear_map *map, const struct tear_cell *cell)
{
    const struct tear_counts *c = &cell->counts;
    struct promise promise = tear_promise(map, cell);

    /* No text lets a processor execute bytes that were in memory at no time. */
    if (c->foreign)
        FAIL("%s at %u, %s: %llu executions with a byte that was never stored", cell->kind->name,
             cell->placement, tear_state_name(cell->state), (unsigned long long)c->foreign);
    if (c->lost)
        FAIL("%s at %u, %s: text does not hold what was stored last", cell->kind->name,
             cell->placement, tear_state_name(cell->state));
    if (promise.kind == PROMISE_WHOLE && (c->torn || c->faults))
        FAIL("%s at %u, %s: %llu torn (first mask 0x%llx) and %llu faults in %llu changes; "
             "%s: %s",
             cell->kind->name, cell->placement, tear_state_name(cell->state),
             (unsigned long long)c->torn, (unsigned long long)c->masks[0],
             (unsigned long long)c->faults, (unsigned long long)c->seen, promise_name(promise.kind),
             promise.source);
}

/* What must show: stores in pieces everywhere, and on real cores a store across a line. */
static void judge_controls(struct test_run *t, const struct tear_map *map)
{
    const struct store_kind *control = store_kind_find(TEAR_CONTROL),
                            *plain = store_kind_find("mov64");
    unsigned unreached = 0, unseen = 0, blind = 0, straddles = 0;
    uint64_t straddles_torn = 0;

    for (unsigned i = 0; i < map->count; i++) {
        const struct tear_cell *cell = &map->cells[i];
        bool crosses = cell->placement + cell->kind->bytes > CACHE_LINE;

        if (cell->counts.ns == 0) {
            unreached++;
            continue;
        }
        unseen += cell->counts.seen == 0;
        blind += cell->kind == control && cell->counts.torn == 0;
        if (cell->kind == plain && cell->state == TEAR_HOT && crosses) {
            straddles++;
            straddles_torn += cell->counts.torn;
        }
    }
    if (blind)
        WEAK("blind: stores in pieces did not tear in %u cells", blind);
    if (unreached)
        WEAK("%u of %u cells were not reached in the time: the cores are shared, or too slow",
             unreached, map->count);
    if (unseen)
        WEAK("%u of %u cells saw no change of their code", unseen, map->count);
    if (straddles && !straddles_torn && !machine_is_emulated())
        WEAK("no line straddle tore: the reader may not have been hit");
}

void tear_judge(struct test_run *t, const struct tear_map *map)
{
    for (unsigned i = 0; i < map->count; i++) {
        const struct tear_counts *c = &map->cells[i].counts;

        judge_cell(t, map, &map->cells[i]);
        saw(SEE_EXECUTIONS, c->executions);
        saw(SEE_OVERLAPS, c->seen);
    }
    judge_controls(t, map);
}

/* SPDX-License-Identifier: MIT */
#include "tests/errata/litmus_cell.h"

#include "kernel/lib/fmt.h"

void litmus_cell_init(struct litmus_cell *cell, const struct litmus_shape *shape,
                      const struct litmus_fence *fence, enum litmus_mapping mapping)
{
    memset(cell, 0, sizeof *cell);
    cell->shape = shape;
    cell->fence = fence;
    cell->mapping = mapping;
    for (unsigned thread = 0; thread < shape->threads; thread++)
        cell->registers[thread] = litmus_registers(shape, thread);
}

int litmus_cell_name(const struct litmus_cell *cell, char *out, size_t size)
{
    bool has_code = litmus_does(cell->shape, LITMUS_CODE);

    return fmt_print(out, size, "%s%s+%s", cell->shape->name,
                     has_code && cell->mapping == LITMUS_ALIAS ? ".alias" : "", cell->fence->name);
}

static void count_state(struct litmus_cell *cell, const struct litmus_outcome *outcome)
{
    struct litmus_state *state = cell->states;

    for (unsigned i = 0; i < cell->state_count; i++, state++) {
        if (memcmp(&state->outcome, outcome, sizeof *outcome) == 0) {
            state->count++;
            return;
        }
    }
    if (cell->state_count < LITMUS_STATES) {
        *state = (struct litmus_state){ *outcome, 1 };
        cell->state_count++;
    }
}

/* Bit v: some register holds value v. */
static unsigned values_in(const struct litmus_cell *cell, const struct litmus_outcome *outcome)
{
    unsigned values = 0;

    for (unsigned thread = 0; thread < cell->shape->threads; thread++) {
        for (unsigned reg = 0; reg < cell->registers[thread]; reg++)
            values |= 1u << outcome->reg[thread][reg];
    }
    return values;
}

bool litmus_cell_count(struct litmus_cell *cell, const struct litmus_outcome *outcome)
{
    const struct litmus_shape *shape = cell->shape;
    bool premise = litmus_holds(shape->premise, outcome);
    bool positive = premise && litmus_holds(shape->asked, outcome);
    unsigned odd =
        values_in(cell, outcome) & (1u << LITMUS_TORN | 1u << LITMUS_STALE | 1u << LITMUS_FAULT);

    count_state(cell, outcome);
    cell->runs++;
    cell->premises += premise;
    cell->positives += positive;
    cell->torn += odd >> LITMUS_TORN & 1;
    cell->stale += odd >> LITMUS_STALE & 1;
    cell->faults += odd >> LITMUS_FAULT & 1;
    if (shape->overlap[0].relation != LITMUS_NO_TERM)
        cell->overlaps += litmus_holds(shape->overlap, outcome);
    if ((!positive && !odd) || cell->violation.seen)
        return false;
    cell->violation.seen = true;
    cell->violation.outcome = *outcome;
    return true;
}

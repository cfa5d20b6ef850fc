/* SPDX-License-Identifier: MIT */
#include "tests/errata/litmus_report.h"

#include "kernel/console/console.h"
#include "kernel/lib/fmt.h"
#include "kernel/time/time.h"
#include "kernel/trap/trap.h"
#include "tests/errata/litmus_verdict.h"

#define TEXT_MAX 200

void litmus_shape_record(struct test_run *t, const struct litmus_shape *shape)
{
    struct json *j = &t->data;
    char text[2 * TEXT_MAX];

    json_string(j, "shape", shape->name);
    litmus_print_program(shape, text, sizeof text);
    json_string(j, "program", text);
    litmus_print_condition(shape, text, sizeof text);
    json_string(j, "condition", text);
    json_string(j, "vendor", promise_vendor_name(promise_vendor()));
    json_string(j, "source", litmus_source(shape));
}

static const char *observation(const struct litmus_cell *cell)
{
    return !cell->positives ? "Never" : cell->positives == cell->runs ? "Always" : "Sometimes";
}

static void print_observation(const struct litmus_cell *cell, char *out, size_t size)
{
    char name[TEXT_MAX / 2];

    litmus_cell_name(cell, name, sizeof name);
    fmt_print(out, size, "Observation %s %s %llu %llu", name, observation(cell),
              (unsigned long long)cell->positives,
              (unsigned long long)(cell->runs - cell->positives));
}

static void record_states(struct json *j, const struct litmus_cell *cell)
{
    char text[TEXT_MAX];

    json_object(j, "histogram");
    for (unsigned i = 0; i < cell->state_count; i++) {
        litmus_print_outcome(cell->shape, &cell->states[i].outcome, text, sizeof text);
        json_uint(j, text, cell->states[i].count);
    }
    json_object_end(j);
}

static void record_violation(struct json *j, const struct litmus_cell *cell)
{
    const struct litmus_violation *v = &cell->violation;
    char text[TEXT_MAX];

    json_object(j, "first");
    litmus_print_outcome(cell->shape, &v->outcome, text, sizeof text);
    json_string(j, "state", text);
    json_hex(j, "base", v->base);
    json_uint(j, "batch", v->batch);
    json_uint(j, "instance", v->instance);
    for (unsigned i = 0; i < sizeof v->bytes; i++)
        fmt_print(text + 2 * i, 3, "%02x", v->bytes[i]);
    json_string(j, "quadword_of_f", text);
    json_array(j, "threads");
    for (unsigned thread = 0; thread < cell->shape->threads; thread++) {
        json_object(j, NULL);
        json_uint(j, "core", v->core[thread]);
        json_array(j, "registers");
        for (unsigned reg = 0; reg < cell->registers[thread]; reg++)
            json_hex(j, NULL, v->raw[thread][reg]);
        json_array_end(j);
        if (v->vector[thread]) {
            json_string(j, "fault", trap_name((unsigned)v->vector[thread]));
            json_hex(j, "rip", v->fault_rip[thread]);
        }
        json_object_end(j);
    }
    json_array_end(j);
    json_object_end(j);
}

/* 0 of n: with 95 % confidence the rate is at most 3/n. */
static void record_bound(struct json *j, const struct litmus_cell *cell)
{
    if (!cell->positives && cell->premises)
        json_uint(j, "at_most_per_1e9", 3000000000ull / cell->premises);
}

static void record_counts(struct json *j, const struct litmus_cell *cell)
{
    char text[TEXT_MAX];

    record_states(j, cell);
    print_observation(cell, text, sizeof text);
    json_string(j, "observation", text);
    json_uint(j, "premise", cell->premises);
    record_bound(j, cell);
    json_uint(j, "overlaps", cell->overlaps);
    json_uint(j, "torn", cell->torn);
    json_uint(j, "stale", cell->stale);
    json_uint(j, "faults", cell->faults);
    json_uint(j, "executed_between", cell->between);
    json_uint(j, "stale_between", cell->stale_between);
    if (cell->stale_between)
        json_hex(j, "returned_between", cell->violation.between);
    json_uint(j, "ms", time_ticks_to_ns(cell->ticks) / 1000000);
    if (cell->violation.seen)
        record_violation(j, cell);
}

void litmus_cell_record(struct test_run *t, const struct litmus_cell *cell)
{
    struct json *j = &t->data;
    char text[TEXT_MAX];

    json_object(j, NULL);
    litmus_cell_name(cell, text, sizeof text);
    json_string(j, "name", text);
    json_string(j, "vendor", litmus_word_name(litmus_cell_word(cell)));
    record_counts(j, cell);
    json_object_end(j);
}

/* ---- text ---- */

void litmus_shape_print(const struct litmus_shape *shape)
{
    char program[TEXT_MAX], condition[TEXT_MAX];

    litmus_print_program(shape, program, sizeof program);
    litmus_print_condition(shape, condition, sizeof condition);
    con_printf("# litmus %s { %s } exists (%s)\n", shape->name, program, condition);
}

static void print_histogram(const struct litmus_cell *cell)
{
    char text[TEXT_MAX];

    con_printf("# litmus Histogram (%u states)\n", cell->state_count);
    for (unsigned i = 0; i < cell->state_count; i++) {
        const struct litmus_state *state = &cell->states[i];
        bool asked = litmus_holds(cell->shape->premise, &state->outcome) &&
                     litmus_holds(cell->shape->asked, &state->outcome);

        litmus_print_outcome(cell->shape, &state->outcome, text, sizeof text);
        con_printf("# litmus %-10llu%s>%s\n", (unsigned long long)state->count, asked ? "*" : ":",
                   text);
    }
}

void litmus_cell_print(const struct litmus_cell *cell)
{
    char text[TEXT_MAX];

    if (cell->violation.seen)
        print_histogram(cell);
    print_observation(cell, text, sizeof text);
    con_printf("# litmus %s (%s)\n", text, litmus_word_name(litmus_cell_word(cell)));
}

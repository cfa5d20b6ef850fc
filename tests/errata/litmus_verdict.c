/* SPDX-License-Identifier: MIT */
#include "tests/errata/litmus_verdict.h"

#include "kernel/lib/fmt.h"
#include "tests/harness/machine_record.h"

#define TEXT_MAX 200

/* What holds of every cell: variables are set up so. */
#define WHOLE                                                                                      \
    "APM vol 2 (24593), 7.6.1: a store inside an aligned quadword; INT3 protocol: every processor"
#define SERIALISED "both vendors: store, flag, serialize, execute"

const char *litmus_source(const struct litmus_shape *shape)
{
    const char *source = shape->promise[promise_vendor()].source;

    return source ? source : "no public statement";
}

static bool fence_counts(const struct litmus_cell *cell)
{
    return cell->shape->counts == LITMUS_DRAINS ? cell->fence->drains
                                                : cell->fence->serialises[promise_vendor()];
}

enum litmus_word litmus_cell_word(const struct litmus_cell *cell)
{
    const struct litmus_promise *promise = &cell->shape->promise[promise_vendor()];

    if (fence_counts(cell))
        return (enum litmus_word)promise->fenced;
    return (enum litmus_word)(cell->mapping == LITMUS_SAME ? promise->same : promise->alias);
}

/*
 * Bytes of a store inside an aligned quadword are not mixed, says AMD (APM vol 2, 7.6.1); the INT3
 * protocol promises the same for every processor.
 */
static bool torn_is_violation(const struct litmus_cell *cell)
{
    return promise_vendor() == VENDOR_AMD || litmus_does(cell->shape, LITMUS_POKE) ||
           !litmus_does(cell->shape, LITMUS_CODE);
}

bool litmus_cell_is_exposed(const struct litmus_cell *cell)
{
    if (cell->shape->overlap[0].relation != LITMUS_NO_TERM && !cell->overlaps)
        return false;
    switch (litmus_cell_word(cell)) {
    case LITMUS_GUARANTEED:
        return cell->premises > 0;
    case LITMUS_ALLOWED:
        return !cell->shape->control || cell->positives > 0 || machine_is_emulated();
    case LITMUS_UNSPECIFIED:
        break;
    }
    return true;
}

/* "0, 3": the cores that ran the threads, in their order. */
static void print_cores(const struct litmus_cell *cell, char *out, size_t size)
{
    int used = 0;

    for (unsigned thread = 0; thread < cell->shape->threads; thread++)
        used += fmt_print(out + used, size - (size_t)used, "%s%u", thread ? ", " : "",
                          cell->violation.core[thread]);
}

static void fail(struct test_run *t, const struct litmus_cell *cell, uint64_t count,
                 const char *what, const char *source)
{
    char name[TEXT_MAX], state[TEXT_MAX], cores[TEXT_MAX];

    litmus_cell_name(cell, name, sizeof name);
    litmus_print_outcome(cell->shape, &cell->violation.outcome, state, sizeof state);
    print_cores(cell, cores, sizeof cores);
    FAIL("%s: %s %llu times in %llu runs; first: %s batch %llu, instance %u, cores %s; %s", name,
         what, (unsigned long long)count, (unsigned long long)cell->runs, state,
         (unsigned long long)cell->violation.batch, cell->violation.instance, cores, source);
}

void litmus_cell_judge(struct test_run *t, const struct litmus_cell *cell)
{
    char name[TEXT_MAX];

    litmus_cell_name(cell, name, sizeof name);
    bool guaranteed = litmus_cell_word(cell) == LITMUS_GUARANTEED;
    const char *source = litmus_source(cell->shape);

    if (cell->positives && guaranteed)
        fail(t, cell, cell->positives, "the forbidden outcome", source);
    if (cell->stale)
        fail(t, cell, cell->stale, "a number from before the thread had serialised", SERIALISED);
    if (cell->stale_between)
        FAIL("%s: %llu of %llu executions between batches returned 0x%x or other numbers from "
             "before the thread had serialised; %s",
             name, (unsigned long long)cell->stale_between, (unsigned long long)cell->between,
             cell->violation.between, SERIALISED);
    if (cell->torn && torn_is_violation(cell))
        fail(t, cell, cell->torn, "a torn number", WHOLE);
    if (cell->faults && (guaranteed || promise_vendor() == VENDOR_AMD))
        fail(t, cell, cell->faults, "an exception", WHOLE);
    if (guaranteed && !cell->premises)
        WEAK("%s: the premise held in none of %llu runs", name, (unsigned long long)cell->runs);
}

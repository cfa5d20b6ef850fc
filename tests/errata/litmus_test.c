/* SPDX-License-Identifier: MIT */
#include "tests/errata/litmus_test.h"

#include "kernel/time/time.h"
#include "tests/errata/litmus_report.h"
#include "tests/errata/litmus_run.h"
#include "tests/errata/litmus_verdict.h"
#include "tests/harness/live.h"
#include "tests/harness/machine_record.h"

#define CELLS_MAX   (16u * LITMUS_MAPPINGS)
#define NS_PER_MS   1000000ull
#define SLICE_NS    (50 * NS_PER_MS) /* of one cell before the next one's turn, at most */
#define SLICE_NS_LO (4 * NS_PER_MS)  /* at least: its set-up takes up to one */

static struct litmus_cell cells[CELLS_MAX];
static unsigned cell_count;

/* Levels of the two words: those asked for, and of them those that this machine has. */
struct asked {
    uint64_t fences, mappings, has_fences, has_mappings;
};

static bool read_words(struct test_run *t, const struct litmus_shape *shape, struct asked *asked)
{
    *asked = (struct asked){ 0 };
    if (!levels_wanted(t, litmus_fence_levels(), test_words()->rsync, &asked->fences) ||
        !levels_wanted(t, litmus_mapping_levels(), test_words()->mapping, &asked->mappings))
        return false;
    if (!litmus_does(shape, LITMUS_CODE)) /* without stores to code it makes no difference */
        asked->mappings = 1ull << LITMUS_ALIAS;
    for (unsigned i = 0; i < litmus_fence_count; i++) {
        bool has = !litmus_fence_lacking(&litmus_fences[i]);
        asked->has_fences |= (asked->fences >> i & has) << i;
    }
    for (unsigned i = 0; i < LITMUS_MAPPINGS; i++) {
        bool has = !litmus_memory_lacking(shape, (enum litmus_mapping)i);
        asked->has_mappings |= (asked->mappings >> i & has) << i;
    }
    return true;
}

static void collect_cells(const struct litmus_shape *shape, const struct asked *asked)
{
    cell_count = 0;
    for (unsigned mapping = 0; mapping < LITMUS_MAPPINGS; mapping++) {
        for (unsigned i = 0; i < litmus_fence_count; i++) {
            if (asked->has_mappings >> mapping & asked->has_fences >> i & 1)
                litmus_cell_init(&cells[cell_count++], shape, &litmus_fences[i],
                                 (enum litmus_mapping)mapping);
        }
    }
}

static uint64_t slice_of(uint64_t duration)
{
    uint64_t slice = duration / cell_count;

    return slice > SLICE_NS ? SLICE_NS : slice < SLICE_NS_LO ? SLICE_NS_LO : slice;
}

/* In turns, so that a disturbance of the machine hits all cells. */
static bool run_cells(struct test_run *t)
{
    struct prng random = test_prng(t);
    uint64_t duration = test_duration_ms(t) * NS_PER_MS;
    uint64_t slice = time_ns_to_ticks(slice_of(duration));
    uint64_t end = rdtsc() + time_ns_to_ticks(duration);
    const char *error;

    do {
        for (unsigned i = 0; i < cell_count; i++) {
            if (!litmus_run(&cells[i], slice, &random, &error)) {
                ERROR("%s", error);
                return false;
            }
            live_look();
        }
    } while (rdtsc() + slice < end);
    return true;
}

/* ---- the record and the verdict ---- */

static void record_skipped(struct json *j, const struct levels *levels, unsigned i,
                           const char *lacking)
{
    json_object(j, NULL);
    json_string(j, levels->word, levels->names[i]);
    json_string(j, "why", lacking);
    json_object_end(j);
}

/* Returns the first reason, NULL if nothing is skipped. */
static const char *record_all_skipped(struct json *j, const struct litmus_shape *shape,
                                      const struct asked *asked)
{
    uint64_t mappings = asked->mappings & ~asked->has_mappings;
    uint64_t fences = asked->fences & ~asked->has_fences;
    const char *first = NULL;

    json_array(j, "skipped");
    for (unsigned i = 0; i < LITMUS_MAPPINGS; i++) {
        const char *lacking = litmus_memory_lacking(shape, (enum litmus_mapping)i);

        if (mappings >> i & 1) {
            record_skipped(j, litmus_mapping_levels(), i, lacking);
            first = first ? first : lacking;
        }
    }
    for (unsigned i = 0; i < litmus_fence_count; i++) {
        const char *lacking = litmus_fence_lacking(&litmus_fences[i]);

        if (fences >> i & 1) {
            record_skipped(j, litmus_fence_levels(), i, lacking);
            first = first ? first : lacking;
        }
    }
    json_array_end(j);
    return first;
}

static void judge_exposure(struct test_run *t, const struct litmus_shape *shape)
{
    uint64_t overlaps = 0, shown = 0, runs = 0;

    for (unsigned i = 0; i < cell_count; i++) {
        runs += cells[i].runs;
        overlaps += cells[i].overlaps;
        if (litmus_cell_word(&cells[i]) == LITMUS_ALLOWED)
            shown += cells[i].positives;
    }
    saw(SEE_EXECUTIONS, runs);
    saw(SEE_OVERLAPS, overlaps);
    if (shape->threads > 1 && !overlaps)
        WEAK("blind: in none of %llu runs of %s did the threads overlap", (unsigned long long)runs,
             shape->name);
    if (shape->control && !shown && !machine_is_emulated())
        WEAK("blind: %s was not seen where it is allowed, in %llu runs", shape->name,
             (unsigned long long)runs);
}

void litmus_test(struct test_run *t, const struct litmus_shape *shape)
{
    struct asked asked;

    if (!read_words(t, shape, &asked))
        return;
    collect_cells(shape, &asked);
    litmus_shape_record(t, shape);
    const char *lacking = record_all_skipped(&t->data, shape, &asked);
    if (cell_count == 0) {
        SKIP("%s: %s", shape->name, lacking);
        return;
    }
    if (!run_cells(t))
        return;
    judge_exposure(t, shape);
    litmus_shape_print(shape);
    json_array(&t->data, "cells");
    for (unsigned i = 0; i < cell_count; i++) {
        litmus_cell_print(&cells[i]);
        litmus_cell_record(t, &cells[i]);
        litmus_cell_judge(t, &cells[i]);
    }
    json_array_end(&t->data);
}

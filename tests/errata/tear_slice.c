/* SPDX-License-Identifier: MIT */
/* One cell of the tear map for a slice of time: what the reader counts. */
#include "tests/errata/tear.h"
#include "tests/errata/tear_race.h"

/* Filled in by the writer's core; the reader counts; tear_race() orders the two. */
struct slice {
    struct tear_image image;
    unsigned chunk; /* executions of a step */
    enum tear_outcome expected;
    struct tear_run run;
    struct tear_load load;
    void (*loader)(struct tear_load *load);
    struct tear_counts counts;
};

/* ---- the reader ---- */

static void keep_mask(struct tear_counts *counts, uint64_t mask)
{
    for (unsigned i = 0; i < TEAR_MASKS; i++) {
        if (counts->masks[i] == mask)
            return;
        if (counts->masks[i] == 0) {
            counts->masks[i] = mask;
            return;
        }
    }
}

/* The last of `executions`; those before it all saw what was expected. */
static void note(struct slice *s, uint64_t executions, enum tear_outcome seen, uint64_t mask)
{
    struct tear_counts *counts = &s->counts;

    counts->executions += executions;
    counts->new_seen += s->expected == TEAR_NEW ? executions - 1 : 0;
    switch (seen) {
    case TEAR_OLD:
    case TEAR_NEW:
        counts->seen += seen != s->expected;
        counts->new_seen += seen == TEAR_NEW;
        s->expected = seen;
        break;
    case TEAR_BETWEEN:
        counts->between++;
        break;
    case TEAR_TORN:
        counts->torn++;
        keep_mask(counts, mask);
        break;
    case TEAR_FOREIGN:
        counts->foreign++;
        break;
    }
}

static void execute_text(void *arg)
{
    struct slice *s = arg;
    enum tear_outcome seen;
    uint64_t mask;

    s->run.expected = s->expected == TEAR_NEW ? UINT64_MAX : 0;
    s->run.expected_last = s->run.expected & s->image.toggled[s->image.site.registers - 1];
    s->run.count = s->chunk;
    tear_run(&s->run);
    seen = tear_judge_text(&s->image, s->run.registers, &mask);
    note(s, s->chunk - s->run.count, seen, mask);
}

static void load_data(void *arg)
{
    struct slice *s = arg;
    enum tear_outcome seen;
    uint64_t mask;

    s->load.expected = (uintptr_t)s->image.store[s->expected == TEAR_NEW];
    s->load.count = s->chunk;
    s->loader(&s->load);
    seen = tear_judge_data(&s->image, s->load.seen, &mask);
    note(s, s->chunk - s->load.count, seen, mask);
}

static void (*loader_of(unsigned bytes))(struct tear_load *load)
{
    switch (bytes) {
    case 1:
        return tear_load_1;
    case 2:
        return tear_load_2;
    case 4:
        return tear_load_4;
    case 16:
        return tear_load_16;
    case 32:
        return tear_load_32;
    case 64:
        return tear_load_64;
    default:
        return tear_load_8;
    }
}

/* The widest loads are there where a store of their own kind is. */
bool tear_has_load(const struct store_kind *kind)
{
    return kind->bytes < 32 ||
           store_available(store_kind_find(kind->bytes == 32 ? "avx256" : "avx512"));
}

/* ---- the writer's core ---- */

/* Store 1 is the new image. */
static const uint8_t *image_of_store(void *arg, uint64_t n)
{
    return ((const struct tear_image *)arg)->store[n & 1];
}

static void prepare(struct slice *s, const struct tear_setup *setup, const struct tear_cell *cell)
{
    unsigned bytes = cell->kind->bytes;
    uint64_t address = tear_store_address(cell->state, bytes, cell->placement);

    *s = (struct slice){ .chunk = tear_chunk(setup, cell->state),
                         .expected = TEAR_OLD,
                         .run = { .first = address, .last = address + bytes - 1 },
                         .load = { .address = address },
                         .loader = loader_of(bytes) };
    tear_image_make(&s->image, bytes);
    s->run.entry = tear_code_write(&s->image.site, cell->state, address);
}

static struct tear_race race_of(struct slice *s, const struct tear_setup *setup,
                                const struct tear_cell *cell)
{
    bool data = cell->state == TEAR_DATA;

    return (struct tear_race){ .step = data ? load_data : execute_text,
                               .arg = s,
                               .loads = data ? cell->kind : NULL,
                               .yields = setup->yields };
}

static void add(struct tear_counts *sum, const struct tear_counts *more)
{
    sum->ns += more->ns;
    sum->stores += more->stores;
    sum->executions += more->executions;
    sum->new_seen += more->new_seen;
    sum->seen += more->seen;
    sum->torn += more->torn;
    sum->between += more->between;
    sum->foreign += more->foreign;
    if (sum->faults == 0)
        sum->fault = more->fault;
    sum->faults += more->faults;
    hits_add(&sum->hits, &more->hits);
    sum->lost |= more->lost;
    for (unsigned i = 0; i < TEAR_MASKS && more->masks[i]; i++)
        keep_mask(sum, more->masks[i]);
}

bool tear_slice(struct tear_setup *setup, struct tear_cell *cell, uint64_t ns)
{
    static struct slice s;
    struct writer w = { .kind = cell->kind,
                        .image = image_of_store,
                        .arg = &s.image,
                        .pace_ns = setup->pace_ns,
                        .random = { prng_next(&setup->random) } };

    prepare(&s, setup, cell);
    w.to = s.run.first;
    struct tear_race race = race_of(&s, setup, cell);

    if (!tear_race(&race, setup->reader, &w, ns))
        return false;
    s.counts.ns = race.ns;
    s.counts.stores = w.stores;
    s.counts.lost = w.lost;
    s.counts.faults = race.faults;
    s.counts.fault = race.fault;
    s.counts.hits = race.hits;
    add(&cell->counts, &s.counts);
    return true;
}

uint64_t tear_idle_rate(const struct tear_setup *setup, const struct tear_cell *cell, uint64_t ns)
{
    static struct slice s;

    prepare(&s, setup, cell);
    struct tear_race race = race_of(&s, setup, cell);

    if (!tear_race(&race, setup->reader, NULL, ns) || race.ns < 1000)
        return 0;
    return s.counts.executions * 1000000 / (race.ns / 1000);
}

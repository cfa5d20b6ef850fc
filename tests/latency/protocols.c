/* SPDX-License-Identifier: MIT */
/*
 * What each protocol of the table (tests/errata/wild.h) costs for one site, with its promise beside
 * it: the engine's own and the ones in the wild, on the same sites, under the same executors, one
 * after the other. Whether they keep their promise is asked in errata/wild; here text that does not
 * hold what was written is the only fault.
 *
 * Sites lie within aligned quadwords, where all protocols are defined.
 */
#include "kernel/lib/fmt.h"
#include "kernel/lib/string.h"
#include "tests/errata/wild.h"
#include "tests/errata/wild_patch.h"
#include "tests/harness/test.h"
#include "tests/latency/ground.h"
#include "tests/latency/measure.h"
#include "tests/lib/figure.h"
#include "tests/lib/own_breakpoints.h"

#define ROWS_MAX 16
#define SPECS    6
#define LEAST    40 /* patches, of all rows together */

/* A row's samples; which of a family's rows is next. Boot core, under text_mutex. */
static struct series series[ROWS_MAX];
static struct site_spec specs[SPECS];
static unsigned spec_count, next_row[SITE_FAMILIES];

/* SITE_5 stands for what may tear on this machine; see wild_family_5(). */
static uint8_t family_of(const struct wild_row *row)
{
    return row->family == SITE_5 ? wild_family_5() : row->family;
}

/* Rows whose other bytes can be executed are for processes; see wild_in_ring_0(). */
static bool is_for_this_machine(const struct wild_row *row)
{
    return !wild_in_ring_0() || (row->family != SITE_5_NOPS && row->family != SITE_11);
}

static void specify(void)
{
    static const uint8_t families[SPECS] = { SITE_5, SITE_5, SITE_5, SITE_2, SITE_5_NOPS, SITE_11 };

    spec_count = wild_in_ring_0() ? 4 : SPECS;
    for (unsigned i = 0; i < spec_count; i++)
        specs[i] = (struct site_spec){ families[i] == SITE_5 ? wild_family_5() : families[i],
                                       0x1000 * i + 0x400 };
}

/* The rows of a family in turn, whichever of its sites comes. */
static unsigned take_row(uint8_t family)
{
    unsigned row = next_row[family];

    while (family_of(&wild_rows[row]) != family)
        row = (row + 1) % wild_row_count;
    next_row[family] = (row + 1) % wild_row_count;
    return row;
}

/* In place of the engine in a race: text_mutex is held, the site is announced to its readers. */
static enum poke_error patch_by_turns(const struct site *s, const struct site_image *to)
{
    unsigned which = take_row(specs[s->index].family);
    const struct wild_row *row = &wild_rows[which];
    enum poke_error e = poke_select_protocol(row->protocol);
    struct measured m;

    if (e)
        return e;
    measure_begin(&m);
    e = row->patch ? row->patch(s, to) : smp_text_poke_single(s->slot, to->bytes, s->len, NULL);
    measure_end(&m);
    series_add(&series[which], &m.sample);
    poke_select_protocol(NULL);
    return e;
}

/* ---- the report ---- */

static void report_row(struct json *j, unsigned which)
{
    const struct wild_row *row = &wild_rows[which];
    const uint8_t *promises = promise_vendor() == VENDOR_AMD ? row->amd : row->intel;

    json_object(j, NULL);
    json_string(j, "protocol", row->name);
    json_string(j, "promise", row->promise);
    json_string(j, "source", row->source);
    json_string(j, "vendor", promise_name((enum promise_kind)promises[IN_8]));
    json_bool(j, "synchronises", row->synchronises);
    series_report(j, &series[which]);
    json_object_end(j);
}

/* "protocol.int3_3": names of figures have no '-' and no '+'. */
static void figures_of(struct test_run *t, unsigned which, unsigned reference)
{
    char name[64];
    uint8_t family = family_of(&wild_rows[which]);

    fmt_print(name, sizeof name, "protocol.%s", wild_rows[which].name);
    for (char *c = name; *c; c++)
        if (*c == '-' || *c == '+')
            *c = '_';
    figure_of_series(t, name, &series[which]);
    /* Only the rows of one family take turns with each other. */
    if (which == reference || family != family_of(&wild_rows[reference]))
        return;
    fmt_print(name + strlen(name), sizeof name - strlen(name), "_over_int3_3");
    figure_of_ratio(t, name, &series[which], &series[reference], 1);
}

static void report(struct test_run *t)
{
    unsigned reference = (unsigned)(wild_find("int3-3") - wild_rows);

    measure_report_trust(t);
    json_array(&t->data, "rows");
    for (unsigned i = 0; i < wild_row_count; i++)
        if (series[i].turns)
            report_row(&t->data, i);
    json_array_end(&t->data);
    figures_begin(t);
    for (unsigned i = 0; i < wild_row_count; i++)
        figures_of(t, i, reference);
    figures_end(t);
}

static void judge(struct test_run *t, const struct race_result *r)
{
    if (r->patcher.error)
        FAIL("site %u: %s", r->patcher.error_site, poke_error_text(r->patcher.error));
    /* The sled's skip leaves what lies behind it as it was. It is the last site: it hides none. */
    if (r->wrong_text >= 0 && specs[r->wrong_text].family != SITE_11)
        FAIL("site %d does not hold its last version", r->wrong_text);
    for (unsigned i = 0; i < wild_row_count; i++)
        if (is_for_this_machine(&wild_rows[i]) && !series[i].turns)
            WEAK("%s was not measured", wild_rows[i].name);
    saw(SEE_PATCHES, r->patcher.singles);
    saw(SEE_EXECUTIONS, r->executions[EXEC_THREAD]);
}

TEST(latency, protocols, "what each protocol of the table costs for one site, beside its promise",
     .cpus = 2, .budget_ms = 2500, .default_ms = 500,
     .must_see = { { SEE_PATCHES, LEAST }, { SEE_EXECUTIONS, 1000 } })
{
    REQUIRE(wild_row_count <= ROWS_MAX);
    measure_init();
    specify();
    memset(next_row, 0, sizeof next_row);
    for (unsigned i = 0; i < wild_row_count; i++)
        series_init(&series[i], "ns", 1);
    ground_check_order(false);
    own_breakpoints_begin(wild_retry_int3);
    const struct race_result *r = race_run(t, &(struct race_plan){ .specs = specs,
                                                                   .count = spec_count,
                                                                   .ms = test_duration_ms(t),
                                                                   .least_runs = LEAST,
                                                                   .patch = patch_by_turns,
                                                                   .prepare = wild_stores_set,
                                                                   .count_all = true });
    own_breakpoints_end();
    ground_check_order(true);
    if (!r->ran)
        return;
    judge(t, r);
    report(t);
}

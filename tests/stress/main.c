/* SPDX-License-Identifier: MIT */
/*
 * The main job. Every core but the patcher executes sites at many placements, in thread, timer
 * interrupt and NMI context, while the boot core takes them through all their images, one by one
 * and in batches, for word seconds=. No execution may be torn or stale, and each protocol run's
 * event log must show every step in its place.
 */
#include "smp/smp.h"
#include "tests/lib/race.h"

/*
 * Offsets from the first page. One site per page or so: within 8 bytes, across 8, 16, 32 and
 * 64, and at every split of a page boundary.
 */
static const struct site_spec placements[] = {
    { SITE_5, 0x0200 },       /* within 8 bytes */
    { SITE_5, 0x0286 },       /* across 8 */
    { SITE_5, 0x0ffc },       /* across a page, 4 + 1 */
    { SITE_2, 0x1200 },       /* within 8 */
    { SITE_2, 0x1287 },       /* across 8 */
    { SITE_5, 0x130e },       /* across 16 */
    { SITE_5, 0x1ffd },       /* across a page, 3 + 2 */
    { SITE_6, 0x2201 },       /* within 8 */
    { SITE_6, 0x2283 },       /* across 8 */
    { SITE_2, 0x230f },       /* across 16 */
    { SITE_5, 0x239e },       /* across 32 */
    { SITE_5, 0x2ffe },       /* across a page, 2 + 3 */
    { SITE_6_JCC, 0x3200 },   /* within 8 */
    { SITE_6_JCC, 0x328d },   /* across 16 */
    { SITE_2_JCC, 0x331f },   /* across 32 */
    { SITE_5, 0x33bd },       /* across 64, 3 + 2 */
    { SITE_5, 0x3fff },       /* across a page, 1 + 4 */
    { SITE_2_JCC, 0x4206 },   /* within 8 */
    { SITE_2, 0x42bf },       /* across 64, 1 + 1 */
    { SITE_6, 0x43bd },       /* across 64, 3 + 3 */
    { SITE_2_JCC, 0x4fff },   /* across a page, 1 + 1 */
    { SITE_6_JCC, 0x533f },   /* across 64, 1 + 5 */
    { SITE_6, 0x5ffd },       /* across a page, 3 + 3 */
    { SITE_5_CALLS, 0x627f }, /* across 64, 1 + 4 */
};
#define PLACEMENTS (sizeof placements / sizeof placements[0])

static struct patch_times single_times, batch_times;

static void init_times(struct patch_times *times)
{
    for (unsigned i = 0; i < PATCH_PHASES; i++)
        hist_init(&times->phase[i]);
    hist_init(&times->disturbed);
}

static const char *const single_names[PATCH_PHASES] = {
    "write1", "sync1", "write2", "sync2", "write3", "sync3", "retire", "total",
};
static const char *const batch_names[PATCH_PHASES] = {
    "batch_write1", "batch_sync1", "batch_write2", "batch_sync2",
    "batch_write3", "batch_sync3", "batch_retire", "batch_total",
};

static void report_times(struct test_run *t)
{
    for (unsigned i = 0; i < PATCH_PHASES; i++)
        test_hist(t, single_names[i], &single_times.phase[i]);
    for (unsigned i = 0; i < PATCH_PHASES; i++)
        test_hist(t, batch_names[i], &batch_times.phase[i]);
}

static void report_crossings(struct json *j, const struct race_result *r)
{
    static const struct {
        const char *name;
        unsigned grain;
    } grains[] = { { "8", 8 }, { "16", 16 }, { "32", 32 }, { "64", 64 }, { "page", 4096 } };

    json_object(j, "sites_crossing");
    for (unsigned g = 0; g < sizeof grains / sizeof grains[0]; g++) {
        unsigned n = 0;
        for (unsigned i = 0; i < r->set.count; i++)
            n += site_crosses(&r->set.sites[i], grains[g].grain);
        json_uint(j, grains[g].name, n);
    }
    json_object_end(j);
}

static void report_cores(struct json *j)
{
    json_array(j, "cores");
    for_each_online_cpu (i) {
        const struct executor *e = executor((unsigned)i);

        json_object(j, NULL);
        json_uint(j, "core", (unsigned)i);
        for (unsigned c = 0; c < EXEC_CONTEXTS; c++)
            json_uint(j, exec_context_name(c), e->view[c].executions);
        json_uint(j, "int3_hits", race_int3_hits((unsigned)i));
        json_object_end(j);
    }
    json_array_end(j);
}

/* What the host's scheduler disturbed: no time of it is in the histograms. */
static void report_disturbed(struct json *j)
{
    const struct hist *single = &single_times.disturbed, *batch = &batch_times.disturbed;

    json_object(j, "disturbed");
    json_uint(j, "single_patches", single->count);
    json_uint(j, "batches", batch->count);
    json_uint(j, "longest_ns", single->max > batch->max ? single->max : batch->max);
    json_object_end(j);
}

static void report(struct test_run *t, const struct race_result *r)
{
    const struct patcher *p = &r->patcher;
    uint64_t ms = r->ns / 1000000 ? r->ns / 1000000 : 1;
    struct json *j = &t->data;

    json_uint(j, "ms", ms);
    json_uint(j, "sites", r->set.count);
    report_crossings(j, r);
    json_uint(j, "patches", p->singles + p->batch_sites);
    json_uint(j, "single_patches", p->singles);
    json_uint(j, "batches", p->batches);
    json_uint(j, "batch_patches", p->batch_sites);
    json_uint(j, "patches_per_s", (p->singles + p->batch_sites) * 1000 / ms);
    json_uint(j, "protocol_runs_per_s", (p->singles + p->batches) * 1000 / ms);
    json_uint(j, "crossings", p->crossings);
    json_uint(j, "syncs", r->counters.syncs);
    json_uint(j, "order_checks", r->counters.order_checked);
    json_uint(j, "order_violations", r->counters.order_violations);
    report_disturbed(j);
    json_uint(j, "int3_hits", r->int3_hits);
    json_object(j, "executions");
    for (unsigned c = 0; c < EXEC_CONTEXTS; c++)
        json_uint(j, exec_context_name(c), r->executions[c]);
    json_object_end(j);
    json_uint(j, "overlaps", r->overlaps);
    json_object(j, "executions_by_image");
    for (unsigned k = 0; k < SITE_KINDS; k++)
        json_uint(j, site_kind_name(k), r->by_kind[k]);
    json_object_end(j);
    json_object(j, "outcomes");
    for (unsigned o = OUTCOME_UNJUDGED; o < OUTCOMES; o++)
        json_uint(j, outcome_name(o), r->outcomes[o]);
    json_object_end(j);
    report_cores(j);
}

TEST(stress, main,
     "cores that execute sites while they are patched run whole, current instructions only",
     .cpus = 2, .budget_ms = 3000, .takes_seconds = true,
     .must_see = { { SEE_EXECUTIONS, 10000 },
                   { SEE_OVERLAPS, 2000 },
                   { SEE_PATCHES, 1000 },
                   { SEE_INT3_HITS, 1000 },
                   { SEE_CROSSINGS, 200 },
                   { SEE_TIMER_EXECUTIONS, 500 },
                   { SEE_NMI_EXECUTIONS, 500 },
                   { SEE_ORDER_CHECKS, 500 } })
{
    init_times(&single_times);
    init_times(&batch_times);
    const struct race_result *r = race_run(t, &(struct race_plan){
                                                  .specs = placements,
                                                  .count = PLACEMENTS,
                                                  .ms = test_words()->seconds * 1000,
                                                  .batch_percent = 15,
                                                  .interrupts = true,
                                                  .single_times = &single_times,
                                                  .batch_times = &batch_times,
                                                  .progress = true,
                                              });
    race_judge(t, r);
    report(t, r);
    report_times(t);
}

/* SPDX-License-Identifier: MIT */
/*
 * The pass through an armed site: beside a #BP whose handler does nothing, for a batch of one site
 * and of 256; and of many cores at once.
 *
 * A core with its interrupts off holds the first sync up (tests/lib/held.h), so the sites stay
 * armed while it passes. The slots are a NOP and then a JMP to the RET behind them: called, they
 * return.
 */
#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "poke/poke.h"
#include "tests/latency/bare_bp.h"
#include "tests/latency/contention.h"
#include "tests/latency/ground.h"
#include "tests/latency/measure.h"
#include "tests/lib/figure.h"
#include "tests/lib/held.h"

#define SLOT_BYTES 16
#define SLOTS      TEXT_POKE_ARRAY_MAX
#define TURNS      200
#define OPERATIONS 4 /* per sample */

static const uint8_t jump_to_next[5] = { JMP32_INSN_OPCODE };

enum { ONE, FULL, BATCHES };
static struct series pass[BATCHES], bare[BATCHES], unarmed[BATCHES];
static uint8_t *slots; /* SLOTS of them in a page */

static uint8_t *slot(unsigned i)
{
    return slots + i * SLOT_BYTES;
}

static void call(uint8_t *at)
{
    ((void (*)(void))(uintptr_t)at)();
}

/* ---- on the core that holds ---- */

static uint8_t *armed, *plain;
static bool passes_by; /* planted fault: once it calls the wrong slot */
static uint64_t hits;  /* that the engine counted there; the boot core reads it afterwards */

static void sample_calls(struct series *series, uint8_t *at)
{
    struct measured m;

    measure_begin(&m);
    for (unsigned i = 0; i < OPERATIONS; i++)
        call(at);
    measure_end(&m);
    series_add(series, &m.sample);
}

static void sample_bare(struct series *series)
{
    struct measured m;

    bare_bp_begin();
    measure_begin(&m);
    for (unsigned i = 0; i < OPERATIONS; i++)
        bare_bp();
    measure_end(&m);
    bare_bp_end();
    series_add(series, &m.sample);
}

static void pass_in_turn(void *arg)
{
    const uint64_t *counted = &this_cpu()->poke.int3_hits;
    uint64_t before = load_relaxed(counted);
    unsigned batch = *(const unsigned *)arg;

    for (unsigned i = 0; i < TURNS; i++) {
        sample_calls(&pass[batch], passes_by && i == TURNS / 2 ? plain : armed);
        sample_bare(&bare[batch]);
        sample_calls(&unarmed[batch], plain);
    }
    hits = load_relaxed(counted) - before;
}

/* ---- on the boot core ---- */

static bool build(void)
{
    static const uint8_t ret = RET_INSN_OPCODE;

    if (!slots)
        slots = (uint8_t *)mm_text_alloc(2);
    if (!slots)
        return false;
    for (unsigned i = 0; i <= SLOTS; i++)
        if (text_poke_copy(slot(i), i < SLOTS ? poke_nop5 : jump_to_next, 5) ||
            text_poke_copy(slot(i) + 5, &ret, 1))
            return false;
    plain = slot(SLOTS); /* on the second page */
    return true;
}

/* `arm` first .. last, run fn(arg) on the next core, and let the patch go on. */
static void hold(struct test_run *t, unsigned first, unsigned last, smp_work fn, void *arg)
{
    const uint8_t *to = slot(first)[0] == JMP32_INSN_OPCODE ? poke_nop5 : jump_to_next;
    enum poke_error error = POKE_OK;

    armed = slot(last);
    if (!hold_begin((unsigned)smp_next_online(0), armed, fn, arg)) {
        ERROR("a core could not be started");
        return;
    }
    text_mutex_lock();
    for (unsigned i = first; i <= last && !error; i++)
        error = smp_text_poke_batch_add(slot(i), to, 5, NULL, NULL);
    if (!error)
        error = smp_text_poke_batch_finish();
    text_mutex_unlock();
    if (!hold_end())
        FAIL("the INT3 did not come");
    if (error)
        FAIL("the engine refused a legal patch: %s", poke_error_text(error));
    for (unsigned i = first; i <= last; i++)
        if (memcmp(slot(i), to, 5))
            FAIL("slot %u does not hold what was written", i);
    saw(SEE_PATCHES, last - first + 1);
}

static void measure_passes(struct test_run *t, unsigned batch, unsigned first, unsigned last)
{
    static const char *const names[BATCHES] = { "1", "256" };

    series_init(&pass[batch], names[batch], OPERATIONS);
    series_init(&bare[batch], names[batch], OPERATIONS);
    series_init(&unarmed[batch], names[batch], OPERATIONS);
    hits = 0;
    hold(t, first, last, pass_in_turn, &batch);
    if (hits != (uint64_t)TURNS * OPERATIONS)
        FAIL("%u passes through an armed site, the engine counted %llu", TURNS * OPERATIONS,
             (unsigned long long)hits);
    saw(SEE_INT3_HITS, hits);
}

/* ---- the report ---- */

static void report_kind(struct json *j, const char *key, const struct series *of_batch)
{
    json_object(j, key);
    for (unsigned i = 0; i < BATCHES; i++)
        series_report(j, &of_batch[i]);
    json_object_end(j);
}

static void report_contention(struct json *j, const char *key, const struct contention *c)
{
    json_object(j, key);
    if (cores_take_turns)
        json_string(j, "not_measured", "the cores take turns on one thread");
    json_uint(j, "cores", c->cores);
    json_uint(j, "rounds", c->rounds);
    json_uint(j, "left_out", c->left_out);
    json_uint(j, "passes_alone", c->passes_alone);
    json_uint(j, "passes_all", c->passes_all);
    json_object_end(j);
}

static void report(struct test_run *t, const struct contention *at_site,
                   const struct contention *at_bare)
{
    struct json *j = &t->data;

    measure_report_trust(t);
    report_kind(j, "pass", pass);
    report_kind(j, "bare_bp", bare);
    report_kind(j, "unarmed", unarmed);
    report_contention(j, "contention", at_site);
    report_contention(j, "contention_bare", at_bare);
    figures_begin(t);
    figure_of_series(t, "int3.pass", &pass[ONE]);
    figure_of_series(t, "int3.pass_256", &pass[FULL]);
    figure_of_ratio(t, "int3.over_bare_bp", &pass[ONE], &bare[ONE], 1);
    figure_of_ratio(t, "int3.over_bare_bp_256", &pass[FULL], &bare[FULL], 1);
    figure_of_spread(t, "int3.contention", "ratio", &at_site->ratio);
    figure_of_spread(t, "int3.contention_bare", "ratio", &at_bare->ratio);
    figures_end(t);
}

static void contend(struct test_run *t, const void *slot_or_null, struct contention *result)
{
    contention_start(t, (unsigned)smp_next_online(0), slot_or_null);
    hold(t, 0, 0, contention_rounds, NULL);
    contention_stop(result);
}

static void measure(struct test_run *t)
{
    struct contention at_site = { 0 }, at_bare = { 0 };

    measure_init();
    REQUIRE(build());
    bare_bp_init();
    ground_check_order(false);
    measure_passes(t, ONE, 0, 0);
    measure_passes(t, FULL, 0, SLOTS - 1);
    if (!cores_take_turns) {
        contend(t, slot(0), &at_site);
        contend(t, NULL, &at_bare);
    }
    ground_check_order(true);
    bare_bp_exit();
    report(t, &at_site, &at_bare);
}

TEST(latency, int3,
     "a pass through an armed site beside a bare #BP, in a batch of 1 and of 256; many at once",
     .cpus = 2, .budget_ms = 1000,
     .must_see = { { SEE_INT3_HITS, 2ull * TURNS *OPERATIONS }, { SEE_PATCHES, SLOTS + 1 } })
{
    passes_by = false;
    measure(t);
}

TEST(selftest, fault_latency_hits, "must fail: a pass that met no INT3", .cpus = 2,
     .budget_ms = 1000)
{
    passes_by = true;
    measure(t);
}

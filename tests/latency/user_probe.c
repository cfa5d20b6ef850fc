/* SPDX-License-Identifier: MIT */
/*
 * What a probe on a NOP costs that does nothing, each time it is hit: beside a #BP whose handler
 * does nothing, and beside the engine's pass through a site that a patch has armed.
 *
 * A core with its interrupts off holds a patch at its INT3 (tests/lib/held.h), so that both kinds
 * of pass can be sampled in turn. The engine, which has not finished, is asked first about each
 * INT3 then, so a hit is dearer than while nobody patches: that one is sampled before, on the boot
 * core.
 */
#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "poke/users/ftrace.h"
#include "poke/users/kprobe.h"
#include "tests/latency/bare_bp.h"
#include "tests/latency/ground.h"
#include "tests/latency/instruction_count.h"
#include "tests/latency/measure.h"
#include "tests/lib/figure.h"
#include "tests/lib/held.h"

#define SITE_BYTES CACHE_LINE
#define OPERATIONS 16u /* per sample */
#define TURNS      200u
#define HITS       ((uint64_t)TURNS * OPERATIONS)

/* NOP5 and RET, each: one with the probe, one that is patched, one as it is. */
enum { PROBED, ARMED, PLAIN, SITES };
static uint8_t *text;

static uint8_t *site(unsigned i)
{
    return text + i * SITE_BYTES;
}

static void call(const uint8_t *at)
{
    ((void (*)(void))(uintptr_t)at)();
}

static bool make_sites(void)
{
    static const uint8_t code[] = { 0x0f, 0x1f, 0x44, 0x00, 0x00, RET_INSN_OPCODE };

    if (!text)
        text = (uint8_t *)mm_text_alloc(1);
    for (unsigned i = 0; text && i < SITES; i++)
        if (text_poke_copy(site(i), code, sizeof code))
            return false;
    return text;
}

/* By the one core that calls the site. */
static uint64_t hits;

notrace static void pre_handler(__attribute__((unused)) struct kprobe *p,
                                __attribute__((unused)) const struct kprobe_regs *regs)
{
    hits++;
}

static struct kprobe probe;

/* False if the probe is not there: one call of the site is one hit, and the INT3 stands. */
static bool begin(void)
{
    if (!make_sites())
        return false;
    hits = 0;
    probe = (struct kprobe){ .addr = site(PROBED), .pre_handler = pre_handler };
    if (register_kprobe(&probe) || *site(PROBED) != INT3_INSN_OPCODE)
        return false;
    call(site(PROBED));
    return hits-- == 1;
}

static void end(struct test_run *t)
{
    uint64_t before = hits;

    EXPECT_EQ(unregister_kprobe(&probe), POKE_OK);
    call(site(PROBED));
    EXPECT_EQ(hits, before);
    EXPECT_EQ(memcmp(site(PROBED), poke_nop5, sizeof poke_nop5), 0);
}

/* ---- samples ---- */

/* While nobody patches, and while a patch is held. */
struct passes {
    struct series probed, bare, armed, plain;
    uint64_t claimed; /* by the engine, of the core's INT3s */
};
static struct passes idle, patching;

static void sample_site(struct series *series, unsigned i)
{
    struct measured m;

    measure_begin(&m);
    for (unsigned n = 0; n < OPERATIONS; n++)
        call(site(i));
    measure_end(&m);
    series_add(series, &m.sample);
}

static void sample_bare(struct series *series)
{
    struct measured m;

    bare_bp_begin();
    measure_begin(&m);
    for (unsigned n = 0; n < OPERATIONS; n++)
        bare_bp();
    measure_end(&m);
    bare_bp_end();
    series_add(series, &m.sample);
}

static void pass_in_turn(void *arg)
{
    const uint64_t *counted = &this_cpu()->poke.int3_hits;
    uint64_t before = load_relaxed(counted);
    struct passes *p = arg;

    for (unsigned turn = 0; turn < TURNS; turn++) {
        sample_site(&p->probed, PROBED);
        sample_bare(&p->bare);
        sample_site(&p->armed, ARMED);
        sample_site(&p->plain, PLAIN);
    }
    p->claimed = load_relaxed(counted) - before;
}

static void init(struct passes *p)
{
    series_init(&p->probed, "probed", OPERATIONS);
    series_init(&p->bare, "bare_bp", OPERATIONS);
    series_init(&p->armed, "armed", OPERATIONS);
    series_init(&p->plain, "plain", OPERATIONS);
}

/* On another core, while a patch of the site waits for it. */
static void pass_while_patching(struct test_run *t)
{
    static const uint8_t jump_to_next[5] = { JMP32_INSN_OPCODE };

    if (!hold_begin((unsigned)smp_next_online(0), site(ARMED), pass_in_turn, &patching)) {
        ERROR("a core could not be started");
        return;
    }
    text_mutex_lock();
    enum poke_error e = smp_text_poke_single(site(ARMED), jump_to_next, 5, NULL);
    text_mutex_unlock();
    EXPECT(hold_end());
    EXPECT_EQ(e, POKE_OK);
    saw(SEE_PATCHES, 1);
}

static void report_passes(struct json *j, const char *key, const struct passes *p)
{
    json_object(j, key);
    series_report(j, &p->probed);
    series_report(j, &p->bare);
    series_report(j, &p->armed);
    series_report(j, &p->plain);
    json_object_end(j);
}

static void report(struct test_run *t)
{
    measure_report_trust(t);
    report_passes(&t->data, "idle", &idle);
    report_passes(&t->data, "patching", &patching);
    figures_begin(t);
    figure_of_series(t, "users.probe_hit", &idle.probed);
    figure_of_ratio(t, "users.probe_over_bare_bp", &idle.probed, &idle.bare, 1);
    figure_of_ratio(t, "users.probe_over_int3_pass", &patching.probed, &patching.armed, 1);
    figures_end(t);
}

TEST_BARE("text of its own that can be patched", latency, user_probe,
          "the hit of a probe that does nothing beside a bare #BP and beside the engine's pass",
          .cpus = 2, .budget_ms = 500,
          .must_see = { { SEE_TRAPS, 2 * HITS }, { SEE_INT3_HITS, HITS }, { SEE_PATCHES, 1 } })
{
    measure_init();
    init(&idle);
    init(&patching);
    REQUIRE(begin());
    bare_bp_init();
    ground_check_order(false);
    pass_in_turn(&idle);
    EXPECT_EQ(hits, HITS);
    EXPECT_EQ(idle.claimed, 0);
    pass_while_patching(t);
    ground_check_order(true);
    bare_bp_exit();
    EXPECT_EQ(hits, 2 * HITS);
    EXPECT_EQ(patching.claimed, HITS);
    saw(SEE_TRAPS, hits);
    saw(SEE_INT3_HITS, patching.claimed);
    end(t);
    report(t);
}

/* ---- instructions ---- */

struct op {
    const uint8_t *site;
};

static void call_site(struct op *op)
{
    call(op->site);
}

static struct instructions count_calls(const uint8_t *at)
{
    struct instructions all = INSTRUCTIONS_NONE;
    struct op op = { at };

    for (unsigned n = 0; n < INSTRUCTION_REPEATS; n++)
        instructions_add(&all, call_site, &op);
    return all;
}

TEST_BARE("text of its own that can be patched", latency, instructions_of_probe,
          "instructions that the hit of a probe that does nothing executes", .budget_ms = 100)
{
    if (!instructions_begin(t))
        return;
    if (begin()) {
        struct instructions probed = count_calls(site(PROBED)), plain = count_calls(site(PLAIN));

        EXPECT_EQ(hits, INSTRUCTION_REPEATS);
        end(t);
        figures_begin(t);
        figure_of_instructions(t, "instructions.probe_hit", instructions_beyond(probed, plain), 1);
        figures_end(t);
    } else {
        FAIL("no probe");
    }
    instructions_end();
}

/* Compiled code: a probe can only become a jump where the whole function is known. */
__attribute__((noinline, noclone)) notrace static void jumped(void)
{
    __asm__ volatile(".byte 0x0f, 0x1f, 0x44, 0x00, 0x00");
}

TEST_BARE("text of its own that can be patched", latency, instructions_of_jump_probe,
          "instructions that the hit of a probe executes that has become a jump", .budget_ms = 100)
{
    if (!instructions_begin(t))
        return;

    uint8_t *entry = (uint8_t *)jumped;
    struct instructions plain = count_calls(entry);

    hits = 0;
    probe = (struct kprobe){ .addr = entry, .pre_handler = pre_handler };
    EXPECT_EQ(register_kprobe(&probe), POKE_OK);
    EXPECT_EQ(optimize_kprobe(&probe), POKE_OK);
    struct instructions probed = count_calls(entry);

    EXPECT_EQ(hits, INSTRUCTION_REPEATS);
    EXPECT_EQ(unregister_kprobe(&probe), POKE_OK);
    figures_begin(t);
    figure_of_instructions(t, "instructions.jump_probe_hit", instructions_beyond(probed, plain), 1);
    figures_end(t);
    instructions_end();
}

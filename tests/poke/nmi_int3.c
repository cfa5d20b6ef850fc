/* SPDX-License-Identifier: MIT */
/*
 * I4: NMIs that meet the engine's INT3 in the middle of a patch, in thread context and in the
 * engine's own handler. They do so for sure: a core holds the patch at its INT3 (tests/lib/held.h)
 * and sends itself the NMIs.
 */
#include "kernel/lib/string.h"
#include "kernel/time/time.h"
#include "tests/harness/test.h"
#include "tests/lib/held.h"
#include "tests/lib/site.h"
#include "tests/lib/stepping.h"
#include "tests/lib/table_refs.h"

#define PATIENCE_NS 1000000000ull

/* The boot core writes `site` and `wanted` before a patch; the counts are the other core's. */
static struct {
    const struct site *site[2];
    uint32_t wanted[2]; /* signature of the image that is being patched in */
    uint32_t nmis, hits, wrong, faults;
} target;

static void execute_site(void *which)
{
    uint64_t *hits = &machine_poke_core(cpu_index())->int3_hits;
    uint64_t before = *hits;
    unsigned n = *(unsigned *)which;
    uint64_t shift = target.nmis & 1 ? 8 : 0; /* both alignments of the stack */

    if (site_call(target.site[n]->entry, shift) != target.wanted[n])
        target.wrong++;
    target.hits += (uint32_t)(*hits - before);
}

static void try_execute(unsigned which)
{
    struct trap_caught caught;

    if (!trap_try(execute_site, &which, &caught))
        target.faults++;
}

static void send_nmi_and_wait(void)
{
    uint64_t begin = rdtsc(), patience = time_ns_to_ticks(PATIENCE_NS);
    uint32_t nmis = load_relaxed(&target.nmis);

    smp_send_nmi(cpu_index());
    while (load_relaxed(&target.nmis) == nmis && rdtsc() - begin < patience)
        cpu_relax();
}

static void judge(struct test_run *t)
{
    EXPECT_EQ(target.faults, 0);
    EXPECT_EQ(target.wrong, 0);
    saw(SEE_NMI_EXECUTIONS, target.nmis);
    saw(SEE_INT3_HITS, target.hits);
}

/* ---- INT3 in an NMI ---- */

#define ROUNDS 6 /* through all images of each site */

static void on_nmi(void)
{
    try_execute(0);
    store_relaxed(&target.nmis, target.nmis + 1);
}

static void meet_in_nmi(__attribute__((unused)) void *arg)
{
    send_nmi_and_wait();
}

static void patch(struct test_run *t, unsigned core, const struct site_image *image)
{
    const struct site *s = target.site[0];

    target.wanted[0] = image->signature;
    REQUIRE(hold_begin(core, s->slot, meet_in_nmi, NULL));
    text_mutex_lock();
    EXPECT_EQ(smp_text_poke_single(s->slot, image->bytes, s->len, NULL), POKE_OK);
    text_mutex_unlock();
    EXPECT(hold_end());
    saw(SEE_PATCHES, 1);
}

TEST_BARE("NMIs", poke, i4_int3_in_nmi,
          "an NMI that meets the INT3 of a patch goes on as the new instruction would", .cpus = 2,
          .budget_ms = 1000, .must_see = { { SEE_INT3_HITS, 114 }, { SEE_NMI_EXECUTIONS, 114 } })
{
    static const struct site_spec specs[] = {
        { SITE_5, 0x200 },
        { SITE_2, 0x33f },
        { SITE_6, 0x480 },
        { SITE_6_JCC, 0x0ffd },
    };
    unsigned other = (unsigned)smp_next_online(0);
    struct prng rng = test_prng(t);
    struct site_set set;

    REQUIRE(site_set_build(&set, specs, sizeof specs / sizeof specs[0], &rng));
    memset(&target, 0, sizeof target);
    store_release(&percpu(other)->nmi_hook, on_nmi); /* pairs with the load in each NMI */
    for (unsigned i = 0; i < set.count; i++) {
        target.site[0] = &set.sites[i];
        for (unsigned n = 1; n <= ROUNDS * target.site[0]->images; n++)
            patch(t, other, &target.site[0]->image[n % target.site[0]->images]);
    }
    store_release(&percpu(other)->nmi_hook, NULL);
    EXPECT_EQ(target.hits, target.nmis); /* each met it, and once */
    judge(t);
}

/* ---- INT3 in an NMI in the handler of an INT3, and so on ---- */

#define DEPTH        3 /* handlers on top of each other */
#define NEST_PATCHES 24

/* All of it is the other core's, in its thread, its handlers and its NMIs. */
static struct {
    trap_handler engine;
    unsigned level;   /* handlers on top of each other now */
    unsigned sent;    /* NMIs sent for this patch, at most one from each level */
    unsigned deepest; /* in this patch */
    uint32_t bad_refs, refs_left;
    unsigned other; /* the site that an NMI executes: this one plus its level, modulo 2 */
} nest;

static uint32_t refs_here(void)
{
    return table_refs(cpu_index());
}

/*
 * After each instruction of the handler at `level`: the table's own reference and one for each
 * handler below, which was interrupted while it held its own; and this one's while it has it.
 * With that in hand it is interrupted too.
 */
static void on_step(__attribute__((unused)) const struct trap_frame *frame)
{
    uint32_t refs = refs_here();
    bool holds = refs == nest.level + 1;

    if (!holds && refs != nest.level)
        nest.bad_refs++;
    if (!holds || nest.level >= DEPTH || nest.sent >= nest.level)
        return;
    nest.sent = nest.level;
    send_nmi_and_wait();
    if (refs_here() != refs)
        nest.bad_refs++;
}

static uint64_t call_engine(void *frame)
{
    return nest.engine(frame);
}

static bool on_breakpoint(struct trap_frame *frame)
{
    nest.level++;
    if (nest.level > nest.deepest)
        nest.deepest = nest.level;
    bool taken = step_call(call_engine, frame);
    nest.level--;
    return taken;
}

static void on_nested_nmi(void)
{
    try_execute((nest.other + nest.level) % 2);
    store_relaxed(&target.nmis, target.nmis + 1);
}

static void meet_in_thread(__attribute__((unused)) void *arg)
{
    try_execute(0);
    nest.refs_left = refs_here();
}

static void patch_both(struct test_run *t, unsigned core, unsigned n)
{
    nest.level = nest.sent = nest.deepest = 0;
    nest.other = n & 1;
    REQUIRE(hold_begin(core, target.site[1]->slot, meet_in_thread, NULL));
    text_mutex_lock();
    for (unsigned i = 0; i < 2; i++) {
        const struct site *s = target.site[i];
        const struct site_image *image = &s->image[n % s->images];

        target.wanted[i] = image->signature;
        EXPECT_EQ(smp_text_poke_batch_add(s->slot, image->bytes, s->len, NULL, NULL), POKE_OK);
    }
    EXPECT_EQ(smp_text_poke_batch_finish(), POKE_OK);
    text_mutex_unlock();
    EXPECT(hold_end());
    EXPECT_EQ(nest.deepest, DEPTH);
    EXPECT_EQ(nest.refs_left, 1); /* the patch is held: the table is published */
    EXPECT_EQ(table_refs(core), 0);
    saw(SEE_PATCHES, 2);
}

TEST_BARE(
    "NMIs", poke, i4_int3_in_nmi_in_int3,
    "handlers that NMIs interrupt while they hold their reference nest, and give each one back",
    .cpus = 2, .budget_ms = 300,
    .must_see = { { SEE_INT3_HITS, NEST_PATCHES *DEPTH },
                  { SEE_NMI_EXECUTIONS, NEST_PATCHES *(DEPTH - 1) } })
{
    static const struct site_spec specs[] = { { SITE_5, 0x200 }, { SITE_6_JCC, 0x33d } };
    unsigned other = (unsigned)smp_next_online(0);
    struct prng rng = test_prng(t);
    struct site_set set;

    REQUIRE(site_set_build(&set, specs, 2, &rng));
    memset(&target, 0, sizeof target);
    memset(&nest, 0, sizeof nest);
    target.site[0] = &set.sites[0];
    target.site[1] = &set.sites[1];
    stepping_begin(on_step);
    nest.engine = trap_set_handler(TRAP_BP, NULL);
    trap_set_handler(TRAP_BP, on_breakpoint);
    store_release(&percpu(other)->nmi_hook, on_nested_nmi); /* pairs with the load in each NMI */
    for (unsigned n = 1; n <= NEST_PATCHES && t->verdict == VERDICT_PASS; n++)
        patch_both(t, other, n);
    store_release(&percpu(other)->nmi_hook, NULL);
    trap_set_handler(TRAP_BP, nest.engine);
    stepping_end();
    EXPECT_EQ(nest.bad_refs, 0);
    judge(t);
}

/* SPDX-License-Identifier: MIT */
/*
 * I4: an NMI may meet the engine's INT3 in the middle of a patch. Here it must: a core keeps its
 * interrupts off until it sees the INT3 in the text, so that the patcher waits for it in the first
 * sync, and then sends itself an NMI that executes the site.
 */
#include "kernel/cpu/regs.h"
#include "kernel/lib/string.h"
#include "kernel/time/time.h"
#include "kernel/trap/trap.h"
#include "smp/smp.h"
#include "tests/harness/test.h"
#include "tests/lib/site.h"

#define ROUNDS      6 /* through all images of each site */
#define PATIENCE_NS 1000000000ull

/*
 * The patcher writes `site` and `wanted` before it starts the other core on a patch, and reads the
 * counts when that has finished; the counts are the other core's, in its thread and its NMIs.
 */
static struct {
    const struct site *site;
    uint32_t wanted; /* signature of the image that is being patched in */
    uint32_t nmis, hits, wrong, faults;
    uint32_t ready; /* interrupts are off */
} target;

static void execute_site(void *shift)
{
    uint64_t *hits = &machine_poke_core(cpu_index())->int3_hits;
    uint64_t before = *hits;

    if (site_call(target.site->entry, *(uint64_t *)shift) != target.wanted)
        target.wrong++;
    target.hits += (uint32_t)(*hits - before);
}

static void on_nmi(void)
{
    uint64_t shift = target.nmis & 1 ? 8 : 0; /* both alignments of the stack */
    struct trap_caught caught;

    if (!trap_try(execute_site, &shift, &caught))
        target.faults++;
    store_relaxed(&target.nmis, target.nmis + 1);
}

static void meet_in_nmi(__attribute__((unused)) void *arg)
{
    uint64_t begin = rdtsc(), patience = time_ns_to_ticks(PATIENCE_NS);
    uint32_t nmis = target.nmis;

    irq_disable();
    store_release(&target.ready, 1); /* pairs with the acquire in patch() */
    while (load_acquire(target.site->slot) != INT3_INSN_OPCODE && rdtsc() - begin < patience)
        cpu_relax();
    smp_send_nmi(cpu_index());
    while (load_relaxed(&target.nmis) == nmis && rdtsc() - begin < patience)
        cpu_relax();
    irq_enable(); /* the sync's interrupt is taken, the patch goes on */
}

static void patch(struct test_run *t, unsigned core, const struct site_image *image)
{
    const struct site *s = target.site;

    target.wanted = image->signature;
    target.ready = 0;
    REQUIRE(smp_start_work(core, meet_in_nmi, NULL));
    while (!load_acquire(&target.ready)) /* pairs with the release in meet_in_nmi() */
        cpu_relax();
    text_mutex_lock();
    EXPECT_EQ(smp_text_poke_single(s->slot, image->bytes, s->len, NULL), POKE_OK);
    text_mutex_unlock();
    smp_wait_work(core);
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
        target.site = &set.sites[i];
        for (unsigned n = 1; n <= ROUNDS * target.site->images; n++)
            patch(t, other, &target.site->image[n % target.site->images]);
    }
    store_release(&percpu(other)->nmi_hook, NULL);

    EXPECT_EQ(target.faults, 0);
    EXPECT_EQ(target.wrong, 0);
    EXPECT_EQ(target.hits, target.nmis); /* each met it, and once */
    saw(SEE_NMI_EXECUTIONS, target.nmis);
    saw(SEE_INT3_HITS, target.hits);
}

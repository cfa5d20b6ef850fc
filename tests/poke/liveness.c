/* SPDX-License-Identifier: MIT */
/*
 * I20: cores that do nothing but execute the sites being patched, five to a cache line, hold the
 * patcher up only for so long, and nobody starves. (Linux 4334336e769b, 2025: one reference counter
 * for all cores made a batch take seconds on 480 of them.) That the patches end at all is what the
 * watchdog waits for; how long they take is data.
 */
#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "kernel/time/time.h"
#include "poke/poke.h"
#include "tests/lib/int3_counts.h"
#include "tests/lib/others.h"
#include "tests/lib/site.h"

#define PER_LINE  5
#define LINES     2
#define SITES     (PER_LINE * LINES)
#define BYTES     11 /* mov eax, number; slot; ret */
#define SLOT      5
#define TARGETS   0x800 /* mov eax, number + JUMPED; ret: 8 bytes each */
#define JUMPED    0x100
#define PATCHES   400 /* at least; a fast machine does more */
#define LENGTH_MS 200

static uint8_t *text;
static uint8_t jumps[SITES][TEXT_POKE_MAX_OPCODE_SIZE];
static struct hist patch_ns;

/* Executing cores add, when they have stopped. */
static uint64_t executions;
static uint32_t progressed, hit, wrong;
static uint64_t *hits_of; /* by core: INT3s met; that core writes */

static uint8_t *entry_of(unsigned site)
{
    return text + site / PER_LINE * CACHE_LINE + site % PER_LINE * BYTES;
}

static bool build(void)
{
    uint8_t entry[BYTES] = { 0xb8, 0, 0, 0, 0, 0x0f, 0x1f, 0x44, 0, 0, RET_INSN_OPCODE };
    uint8_t target[] = { 0xb8, 0, JUMPED >> 8, 0, 0, RET_INSN_OPCODE };
    size_t bytes = smp_possible() * sizeof *hits_of, len;

    if (!hits_of)
        hits_of = pages_alloc_virt((bytes + PAGE_SIZE - 1) / PAGE_SIZE);
    text = (uint8_t *)mm_text_alloc(1);
    if (!text || !hits_of)
        return false;
    for (unsigned i = 0; i < SITES; i++) {
        uint8_t *at = text + TARGETS + 8 * i;

        entry[1] = target[1] = (uint8_t)i;
        if (text_poke_copy(entry_of(i), entry, sizeof entry) != POKE_OK ||
            text_poke_copy(at, target, sizeof target) != POKE_OK ||
            text_gen_insn(JMP32_INSN_OPCODE, entry_of(i) + SLOT, at, jumps[i], &len) != POKE_OK)
            return false;
    }
    return true;
}

/* As fast as it can. The pause is for emulators that take turns, and rare. */
static void hammer(__attribute__((unused)) void *arg)
{
    uint64_t *hits = &machine_poke_core(cpu_index())->int3_hits, before = load_relaxed(hits);
    uint64_t mine = 0;

    while (others_go_on()) {
        for (unsigned site = 0; site < SITES; site++, mine++) {
            if ((site_call(entry_of(site), mine & 1 ? 8 : 0) & ~JUMPED) != site)
                fetch_add(&wrong, 1);
        }
        cpu_relax();
    }
    hits_of[cpu_index()] = load_relaxed(hits) - before;
    fetch_add(&executions, mine);
    fetch_add(&progressed, mine != 0);
    fetch_add(&hit, hits_of[cpu_index()] != 0);
}

static void patch_once(struct test_run *t, unsigned n)
{
    uint64_t begin = rdtsc();

    text_mutex_lock();
    /* Now one site alone, now a whole line and more. */
    for (unsigned site = n % SITES; site < (n & 1 ? SITES : n % SITES + 1); site++)
        EXPECT_EQ(smp_text_poke_batch_add(entry_of(site) + SLOT,
                                          n / 2 & 1 ? poke_nop5 : jumps[site], 5, NULL, NULL),
                  POKE_OK);
    EXPECT_EQ(smp_text_poke_batch_finish(), POKE_OK);
    text_mutex_unlock();
    hist_add(&patch_ns, time_ticks_to_ns(rdtsc() - begin));
    saw(SEE_BATCHES, 1);
}

static void report(struct test_run *t)
{
    json_uint(&t->data, "median_ns", hist_percentile(&patch_ns, 1, 2));
    json_uint(&t->data, "max_ns", patch_ns.max);
    json_array(&t->data, "hits_by_core");
    for (int core = smp_next_online(0); core >= 0; core = smp_next_online(core))
        json_uint(&t->data, NULL, hits_of[core]);
    json_array_end(&t->data);
    test_hist(t, "hammered_patch", &patch_ns);
}

TEST(poke, i20_liveness,
     "patches end while every other core executes the patched sites, and every core gets on",
     .cpus = 2, .budget_ms = 600,
     .must_see = { { SEE_BATCHES, PATCHES }, { SEE_INT3_HITS, 200 }, { SEE_EXECUTIONS, 2000 } })
{
    hist_init(&patch_ns);
    executions = 0;
    progressed = hit = wrong = 0;
    REQUIRE(build());
    uint64_t hits = int3_counts().hits;
    uint64_t begin = rdtsc(), length = time_ns_to_ticks(LENGTH_MS * 1000000ull);
    unsigned others = others_start(t, 0, hammer, NULL);

    for (unsigned n = 0; n < PATCHES || rdtsc() - begin < length; n++) {
        patch_once(t, n);
        cpu_relax();
    }
    others_stop();
    EXPECT_EQ(wrong, 0);
    if (progressed < others)
        FAIL("%u of %u cores executed sites", progressed, others);
    if (hit < others)
        WEAK("%u of %u cores met INT3s", hit, others);
    report(t);
    saw(SEE_EXECUTIONS, executions);
    saw(SEE_INT3_HITS, int3_counts().hits - hits);
    saw(SEE_INT3_CORES, hit);
}

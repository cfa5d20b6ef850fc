/* SPDX-License-Identifier: MIT */
/*
 * I19, with lock drops: one core queues sites, drops text_mutex and finishes later; in between
 * another core patches the same sites, singly and in batches, below, at and above what is queued.
 * Whatever the order, the table stays ascending, each site ends with its last writer's bytes, and
 * the other cores, which execute the sites all the time, meet no INT3 that is not found in the
 * table. (Linux 2aebf5ee43bf, 2025: a single poke appended below a queue that another task had left
 * pending; also at a full table.)
 */
#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "kernel/trap/trap.h"
#include "poke/table.h"
#include "tests/lib/int3_counts.h"
#include "tests/lib/others.h"
#include "tests/lib/site.h"

#define SITES     12
#define STEP      0x155 /* some lie across a line, one across a page */
#define OTHER     0x1f00
#define ROUNDS    80
#define MIXED_MIN 30 /* times that the second patcher came upon a pending queue */
#define IMAGES    3

enum answer { FALLEN = 1, JUMPED = 9 };

static uint8_t *text; /* per site: mov eax, 1; slot; ret */
static uint8_t images[SITES][IMAGES][TEXT_POKE_MAX_OPCODE_SIZE];

/* Under text_mutex. */
static uint8_t last[SITES]; /* image that was added last */
static uint64_t mixed;      /* times that the other core patched while a queue was pending */
static const char *fault;   /* the first thing found wrong */

/* Executing cores add. */
static uint64_t executions;
static uint32_t wrong, faults;

static uint8_t *slot(unsigned site)
{
    return text + 0x2b + site * STEP;
}

static bool build(void)
{
    static const uint8_t entry[] = { 0xb8, FALLEN, 0, 0, 0, 0x0f, 0x1f, 0x44, 0, 0, 0xc3 };
    static const uint8_t other[] = { 0xb8, JUMPED, 0, 0, 0, RET_INSN_OPCODE };

    text = (uint8_t *)mm_text_alloc(2);
    if (!text || text_poke_copy(text + OTHER, other, sizeof other) != POKE_OK)
        return false;
    memset(images, INT3_INSN_OPCODE, sizeof images);
    for (unsigned i = 0; i < SITES; i++) {
        size_t len;

        memcpy(images[i][0], poke_nop5, sizeof poke_nop5);
        images[i][1][0] = RET_INSN_OPCODE;
        if (text_gen_insn(JMP32_INSN_OPCODE, slot(i), text + OTHER, images[i][2], &len) !=
                POKE_OK ||
            text_poke_copy(slot(i) - 5, entry, sizeof entry) != POKE_OK)
            return false;
        last[i] = 0;
    }
    return true;
}

/* ---- under text_mutex ---- */

static void found(const char *what)
{
    if (!fault)
        fault = what;
}

static void check_table(void)
{
    if (poke_table->count > TEXT_POKE_ARRAY_MAX)
        found("the table overflows");
    for (unsigned i = 1; i < poke_table->count && !fault; i++) {
        const struct poke_entry *before = &poke_table->entries[i - 1];

        if (before->addr + before->len > poke_table->entries[i].addr)
            found("the table is not ascending");
    }
}

static void check_text(void)
{
    for (unsigned i = 0; i < SITES; i++) {
        if (memcmp(slot(i), images[i][last[i]], 5) != 0)
            found("a site does not hold its last writer's bytes");
    }
}

static void expect_ok(enum poke_error e)
{
    if (e != POKE_OK)
        found(poke_error_text(e));
}

static void queue(struct prng *rng, unsigned site)
{
    last[site] = (uint8_t)prng_below(rng, IMAGES);
    expect_ok(smp_text_poke_batch_add(slot(site), images[site][last[site]], 5, NULL, NULL));
    check_table();
}

static void finish(void)
{
    expect_ok(smp_text_poke_batch_finish());
    check_text();
}

static void single(struct prng *rng, unsigned site)
{
    last[site] = (uint8_t)prng_below(rng, IMAGES);
    expect_ok(smp_text_poke_single(slot(site), images[site][last[site]], 5, NULL));
    check_text();
}

/* ---- the cores ---- */

/* Patches whole, whatever is pending. */
static void second_patcher(void *arg)
{
    struct prng *rng = arg;

    while (others_go_on()) {
        text_mutex_lock();
        mixed += poke_table->count != 0;
        if (prng_below(rng, 2)) {
            single(rng, prng_below(rng, SITES));
        } else {
            for (unsigned n = 1 + prng_below(rng, 4); n; n--)
                queue(rng, prng_below(rng, SITES));
            finish();
        }
        text_mutex_unlock();
        cpu_relax();
    }
}

/* Queues in ascending order, as jump labels do, and drops the lock before and between. */
static void first_patcher(struct prng *rng)
{
    for (unsigned round = 0; round < ROUNDS && !load_relaxed(&fault); round++) {
        for (unsigned site = prng_below(rng, 4); site < SITES; site += 1 + prng_below(rng, 4)) {
            text_mutex_lock();
            queue(rng, site);
            text_mutex_unlock();
            if (prng_below(rng, 3) == 0)
                cpu_relax();
        }
        text_mutex_lock();
        finish();
        text_mutex_unlock();
        cpu_relax();
    }
}

static void execute_sites(__attribute__((unused)) void *arg)
{
    uint64_t mine = 0;

    while (others_go_on()) {
        for (unsigned site = 0; site < SITES; site++, mine++) {
            uint32_t answer = site_call(slot(site) - 5, mine & 1 ? 8 : 0);

            if (answer != FALLEN && answer != JUMPED)
                fetch_add(&wrong, 1);
        }
        cpu_relax();
    }
    fetch_add(&executions, mine);
}

static void execute_loop(__attribute__((unused)) void *arg)
{
    struct trap_caught caught;

    if (!trap_try(execute_sites, NULL, &caught))
        fetch_add(&faults, 1);
}

/* The core after the boot core is the second patcher, all others execute. */
static void do_work(void *rng)
{
    if ((int)cpu_index() == smp_next_online(0))
        second_patcher(rng);
    else
        execute_loop(NULL);
}

TEST(poke, i19_queue_then_finish,
     "a queue that is left pending under another patcher's pokes loses no site and no order",
     .cpus = 3, .budget_ms = 700,
     .must_see = { { SEE_PATCHES, 300 }, { SEE_INT3_HITS, 200 }, { SEE_EXECUTIONS, 1000 } })
{
    struct prng mine = test_prng(t), others = { prng_next(&mine) };

    mixed = executions = 0;
    wrong = faults = 0;
    fault = NULL;
    REQUIRE(build());
    uint64_t hits = int3_counts().hits, sites = poke_counters()->sites;

    others_start(t, 0, do_work, &others);
    first_patcher(&mine);
    others_stop();
    if (fault)
        FAIL("%s", fault);
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(faults, 0);
    json_uint(&t->data, "patched_while_pending", mixed);
    if (mixed < MIXED_MIN)
        WEAK("the second patcher came upon a pending queue %llu times, needs %u",
             (unsigned long long)mixed, MIXED_MIN);
    saw(SEE_PATCHES, poke_counters()->sites - sites);
    saw(SEE_INT3_HITS, int3_counts().hits - hits);
    saw(SEE_EXECUTIONS, executions);
}

/* ---- a full table ---- */

#define FULL_STEP 16

static void poke_once(void *at)
{
    text_mutex_lock();
    expect_ok(smp_text_poke_single(at, poke_nop5, 5, NULL));
    check_table();
    text_mutex_unlock();
}

TEST(poke, i19_full_then_single,
     "a single poke of another core at a full table patches all 256 sites and its own", .cpus = 2,
     .budget_ms = 100, .must_see = { { SEE_PATCHES, 3 * (TEXT_POKE_ARRAY_MAX + 1) } })
{
    /* Where the single poke goes: below, at and above the sites of the full table. */
    static const unsigned places[] = { 0, 100, TEXT_POKE_ARRAY_MAX + 1 };
    unsigned other = (unsigned)smp_next_online(0);

    text = (uint8_t *)mm_text_alloc(2);
    REQUIRE(text);
    fault = NULL;
    for (unsigned n = 0; n < sizeof places / sizeof places[0]; n++) {
        uint64_t sites = poke_counters()->sites;

        EXPECT_EQ(text_poke_set(text, INT3_INSN_OPCODE, 2 * PAGE_SIZE), POKE_OK);
        text_mutex_lock();
        for (unsigned i = 1; i <= TEXT_POKE_ARRAY_MAX; i++)
            expect_ok(smp_text_poke_batch_add(text + FULL_STEP * i, poke_nop5, 5, NULL, NULL));
        EXPECT_EQ(poke_table->count, TEXT_POKE_ARRAY_MAX);
        text_mutex_unlock();
        REQUIRE(smp_start_work(other, poke_once, text + FULL_STEP * places[n]));
        smp_wait_work(other);
        for (unsigned i = 1; i <= TEXT_POKE_ARRAY_MAX; i++)
            EXPECT_EQ(memcmp(text + FULL_STEP * i, poke_nop5, 5), 0);
        EXPECT_EQ(memcmp(text + FULL_STEP * places[n], poke_nop5, 5), 0);
        EXPECT_EQ(poke_table->count, 0);
        saw(SEE_PATCHES, poke_counters()->sites - sites);
    }
    if (fault)
        FAIL("%s", fault);
}

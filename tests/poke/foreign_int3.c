/* SPDX-License-Identifier: MIT */
/* INT3s that are not the engine's reach their owner, each one, while it is busy with its own. */
#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "kernel/time/time.h"
#include "poke/poke.h"
#include "smp/smp.h"
#include "tests/harness/test.h"
#include "tests/lib/own_breakpoints.h"
#include "tests/lib/site.h"

#define LENGTH_NS 400000000ull
#define ROUNDS    60 /* at least; a slow machine gets five times as long for them */

static uint8_t *foreign; /* mov eax, 1; the byte; mov eax, 2; ret */
static uint32_t stop;
static uint64_t answers[3]; /* by EAX; every core adds */

static bool take_foreign(struct trap_frame *frame)
{
    return frame->rip == (uint64_t)foreign + 6; /* go on behind it */
}

static uint8_t *build_foreign(uint8_t byte)
{
    uint8_t code[] = { 0xb8, 1, 0, 0, 0, byte, 0xb8, 2, 0, 0, 0, RET_INSN_OPCODE };
    uint64_t text = mm_text_alloc(1);
    uint8_t *middle = (uint8_t *)text + PAGE_SIZE / 2 - 6; /* the byte is the last of a line */

    if (!text || text_poke_copy(middle, code, sizeof code) != POKE_OK)
        return NULL;
    return middle;
}

static void execute_foreign(__attribute__((unused)) void *arg)
{
    uint64_t mine[3] = { 0 };

    for (unsigned i = 0; !load_acquire(&stop); i++) { /* pairs with the release in run_others() */
        uint32_t answer = site_call(foreign, i & 1 ? 8 : 0);
        mine[answer <= 2 ? answer : 0]++;
        if (i % 8 == 0)
            cpu_relax();
    }
    for (unsigned i = 0; i < 3; i++)
        fetch_add(&answers[i], mine[i]);
}

/* All other cores execute the breakpoint while this one patches. Returns the INT3s taken. */
static uint64_t run_others(struct test_run *t, void (*patch)(unsigned round))
{
    uint64_t begin = rdtsc(), length = time_ns_to_ticks(LENGTH_NS);
    unsigned started = 0;

    memset(answers, 0, sizeof answers);
    store_release(&stop, 0);
    own_breakpoints_begin(take_foreign);
    for_each_online_cpu (core) {
        if (core != (int)cpu_index())
            started += smp_start_work((unsigned)core, execute_foreign, NULL);
    }
    if (started != smp_online() - 1)
        ERROR("%u of %u cores could be started", started, smp_online() - 1);
    for (unsigned round = 0; rdtsc() - begin < (round < ROUNDS ? 5 * length : length); round++) {
        text_mutex_lock();
        patch(round);
        text_mutex_unlock();
        cpu_relax();
    }
    store_release(&stop, 1); /* pairs with the acquire in execute_foreign() */
    for_each_online_cpu (core) {
        if (core != (int)cpu_index())
            smp_wait_work((unsigned)core);
    }
    return own_breakpoints_end();
}

/* ---- a permanent one ---- */

static void patch_around(unsigned round)
{
    static const uint8_t ret[5] = { 0xc3, 0xcc, 0xcc, 0xcc, 0xcc };
    const uint8_t *bytes = round & 1 ? ret : poke_nop5;

    /* Sites below and above the foreign INT3: the search in the engine's table passes it. */
    for (int i = -10; i <= 10; i++) {
        if (i != 0)
            smp_text_poke_batch_add(foreign + 16 * i, bytes, 5, NULL, NULL);
    }
    smp_text_poke_batch_finish();
}

TEST(poke, i16_foreign_int3,
     "a breakpoint of another owner is never lost while batches come and go", .cpus = 2,
     .budget_ms = 800, .must_see = { { SEE_TRAPS, 1000 }, { SEE_BATCHES, 50 } })
{
    foreign = build_foreign(INT3_INSN_OPCODE);
    REQUIRE(foreign);
    uint64_t before = poke_counters()->batches;
    uint64_t taken = run_others(t, patch_around);

    EXPECT_EQ(answers[0], 0);
    EXPECT_EQ(answers[1], 0);
    EXPECT_EQ(answers[2], taken);
    saw(SEE_TRAPS, taken);
    saw(SEE_BATCHES, poke_counters()->batches - before);
}

/* ---- one that the engine itself plants and removes ---- */

static void toggle(unsigned round)
{
    static const uint8_t image[2] = { INT3_INSN_OPCODE, RET_INSN_OPCODE };

    smp_text_poke_single(foreign + 5, &image[round & 1], 1, NULL);
}

TEST(poke, i17_int3_as_instruction,
     "a site that becomes INT3 and back reaches the INT3's owner exactly when it is one", .cpus = 2,
     .budget_ms = 800, .must_see = { { SEE_TRAPS, 200 }, { SEE_BATCHES, 50 } })
{
    foreign = build_foreign(RET_INSN_OPCODE);
    REQUIRE(foreign);
    uint64_t before = poke_counters()->batches;
    uint64_t taken = run_others(t, toggle);

    EXPECT_EQ(answers[0], 0);
    EXPECT(answers[1] > 0);
    EXPECT_EQ(answers[2], taken);
    saw(SEE_TRAPS, taken);
    saw(SEE_BATCHES, poke_counters()->batches - before);
}

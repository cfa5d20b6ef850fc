/* SPDX-License-Identifier: MIT */
/*
 * I16: INT3s that are not the engine's reach their owner, each one, whatever the engine is doing;
 * and once a batch is over, no handler reads its table any more. All other cores meet such INT3s
 * without rest, in thread context and in timer interrupts, while batches come and go between them.
 * After each batch the table is filled with poison: entries that claim the foreign addresses and
 * send whoever believes them to a place that counts.
 *
 * A handler is in the engine's hands for a few instructions only. So some of them are stepped, and
 * the core yields between two of their instructions: a handler then holds its reference while the
 * patcher retires the table, which has to wait for it. (Linux 2019: table cleared under handlers;
 * Linux efd608fa7403, 2022: descriptor on a stack that was reused.)
 */
#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "poke/table.h"
#include "smp/watchdog.h"
#include "tests/lib/int3_counts.h"
#include "tests/lib/others.h"
#include "tests/lib/own_breakpoints.h"
#include "tests/lib/patience.h"
#include "tests/lib/site.h"
#include "tests/lib/stepping.h"
#include "tests/lib/table_refs.h"

/* In one page: foreign INT3s at 100, 400, 700, a00 and d00, sites at all multiples of c0. */
#define FOREIGN         5
#define FOREIGN_AT(i)   (0x100 + 0x300 * (i))
#define INT3_IN_FOREIGN 5 /* behind mov eax, 1 */
#define SITES           20
#define SITE_AT(i)      (0xc0 * ((i) + 1))
#define POISON_AT       0xf80

#define TIMER_US      250 /* times the number of cores, which may share a host */
#define QUIET_MS      80
#define BATCHES_MS    200
#define STEPPED_MS    250
#define BATCHES_LEAST 40 /* a slow machine gets more time for them */
#define STEPPED_HITS  7  /* one of so many hits is stepped; no multiple of the loop's yields */
#define POISON_TURNS  4

enum answer { ANSWER_LOST, ANSWER_BEFORE, ANSWER_BEHIND, ANSWER_POISON, ANSWERS };

static uint8_t *page;
static uint64_t answers[ANSWERS], timer_answers; /* every core adds */
static uint32_t stepping;                        /* boot core writes: step some handlers */
static uint32_t steps;                           /* every core adds */

static bool build(void)
{
    /* clang-format off */
    static const uint8_t foreign[] = {
        0xb8, ANSWER_BEFORE, 0, 0, 0, /* mov eax, imm32 */
        INT3_INSN_OPCODE,
        0xb8, ANSWER_BEHIND, 0, 0, 0, /* mov eax, imm32 */
        RET_INSN_OPCODE,
    };
    /* clang-format on */
    static const uint8_t poison[] = { 0xb8, ANSWER_POISON, 0, 0, 0, RET_INSN_OPCODE };

    page = (uint8_t *)mm_text_alloc(1);
    for (unsigned i = 0; page && i < FOREIGN; i++) {
        if (text_poke_copy(page + FOREIGN_AT(i), foreign, sizeof foreign) != POKE_OK)
            return false;
    }
    return page && text_poke_copy(page + POISON_AT, poison, sizeof poison) == POKE_OK;
}

/* ---- the owner, and the cores that meet its INT3s ---- */

static uintptr_t int3_of(unsigned i)
{
    return (uintptr_t)page + FOREIGN_AT(i) + INT3_IN_FOREIGN;
}

static bool take_foreign(struct trap_frame *frame)
{
    for (unsigned i = 0; i < FOREIGN; i++) {
        if (frame->rip == int3_of(i) + INT3_INSN_SIZE)
            return true; /* go on behind it */
    }
    return false;
}

static enum answer execute(unsigned n)
{
    uint32_t answer = site_call(page + FOREIGN_AT(n % FOREIGN), n & 1 ? 8 : 0);

    return answer < ANSWERS ? (enum answer)answer : ANSWER_LOST;
}

static void on_timer(void)
{
    fetch_add(&answers[execute((unsigned)load_relaxed(&timer_answers))], 1);
    fetch_add(&timer_answers, 1);
}

static void execute_loop(__attribute__((unused)) void *arg)
{
    uint64_t mine[ANSWERS] = { 0 };

    store_release(&this_cpu()->timer_hook, on_timer); /* pairs with the timer interrupt's load */
    smp_timer_start(TIMER_US * smp_online());
    for (unsigned n = 0; others_go_on(); n++) {
        mine[execute(n)]++;
        if (n % 8 == 0)
            cpu_relax();
    }
    store_release(&this_cpu()->timer_hook, NULL);
    watchdog_start_core(); /* the default tick again */
    for (unsigned i = 0; i < ANSWERS; i++)
        fetch_add(&answers[i], mine[i]);
}

/* ---- handlers that take their time ---- */

static trap_handler inner; /* the engine's, then the owner's */

static uint64_t call_inner(void *frame)
{
    return inner(frame);
}

static bool on_breakpoint(struct trap_frame *frame)
{
    uint64_t met = load_relaxed(&machine_poke_core(cpu_index())->int3_foreign);

    if (!load_relaxed(&stepping) || met % STEPPED_HITS)
        return inner(frame);
    return step_call(call_inner, frame);
}

/*
 * After some steps, in no rhythm with the handler's (multiplicative hash): one of 8 while the
 * handler holds its reference, one of 64 elsewhere.
 */
static void yield_sometimes(__attribute__((unused)) const struct trap_frame *frame)
{
    bool holds = table_refs(cpu_index()) > 1;
    uint32_t hash = fetch_add(&steps, 1) * 0x9e3779b9u;

    if (hash >> (holds ? 29 : 26) == 0)
        cpu_relax();
}

/* ---- the patcher ---- */

/* Nothing is published: the patcher owns the table, and nobody may look at it. */
static void poison_table(void)
{
    for (unsigned i = 0; i < FOREIGN; i++)
        poke_table->entries[i] = (struct poke_entry){
            .addr = int3_of(i),
            .len = INT3_INSN_SIZE,
            .emulate = { .kind = POKE_INSN_JMP,
                         .len = INT3_INSN_SIZE,
                         .target = (uintptr_t)page + POISON_AT },
        };
    poke_table->count = FOREIGN;
    for (unsigned i = 0; i < POISON_TURNS; i++)
        cpu_relax();
    poke_table->count = 0;
}

static enum poke_error run_batch(struct prng *rng)
{
    static const uint8_t ret[5] = { 0xc3, 0xcc, 0xcc, 0xcc, 0xcc };
    unsigned n = 1 + prng_below(rng, SITES), first = prng_below(rng, SITES - n + 1);
    enum poke_error e = POKE_OK;

    text_mutex_lock();
    for (unsigned i = first; i < first + n && !e; i++)
        e = smp_text_poke_batch_add(page + SITE_AT(i), prng_below(rng, 2) ? ret : poke_nop5, 5,
                                    NULL, NULL);
    if (!e)
        e = smp_text_poke_batch_finish();
    poison_table();
    text_mutex_unlock();
    return e;
}

static uint64_t met(void)
{
    return int3_counts().foreign;
}

/* Patch, or only wait, for some time; returns how many foreign INT3s a second were met. */
static uint64_t phase(struct test_run *t, unsigned ms, struct prng *rng)
{
    uint64_t begin = rdtsc(), before = met();

    for (unsigned n = 0; !loop_is_over(begin, ms, !rng || n >= BATCHES_LEAST); n++) {
        if (rng) {
            EXPECT_EQ(run_batch(rng), POKE_OK);
            saw(SEE_BATCHES, 1);
        }
        cpu_relax();
    }
    uint64_t us = time_ticks_to_ns(rdtsc() - begin) / 1000;

    return (met() - before) * 1000000 / us;
}

TEST(poke, i16_foreign_int3,
     "a breakpoint of another owner is never lost, and no handler reads the table of a past batch",
     .cpus = 2, .budget_ms = 600, .must_see = { { SEE_TRAPS, 1000 }, { SEE_BATCHES, 50 } })
{
    struct prng rng = test_prng(t);

    memset(answers, 0, sizeof answers);
    timer_answers = steps = stepping = 0;
    REQUIRE(build());
    uint64_t foreign = met(), waits = poke_counters()->retire_waits;

    own_breakpoints_begin(take_foreign);
    inner = trap_set_handler(TRAP_BP, on_breakpoint);
    stepping_begin(yield_sometimes);
    others_start(t, 0, execute_loop, NULL);
    json_uint(&t->data, "hits_per_s_without_batches", phase(t, QUIET_MS, NULL));
    json_uint(&t->data, "hits_per_s_with_batches", phase(t, BATCHES_MS, &rng));
    store_relaxed(&stepping, 1);
    phase(t, STEPPED_MS, &rng);
    others_stop();
    stepping_end();
    trap_set_handler(TRAP_BP, inner);
    uint64_t taken = own_breakpoints_end();

    EXPECT_EQ(answers[ANSWER_POISON], 0);
    EXPECT_EQ(answers[ANSWER_LOST], 0);
    EXPECT_EQ(answers[ANSWER_BEFORE], 0);
    EXPECT_EQ(answers[ANSWER_BEHIND], taken);
    EXPECT_EQ(met() - foreign, taken);
    waits = poke_counters()->retire_waits - waits;
    json_uint(&t->data, "steps", steps);
    json_uint(&t->data, "retire_waits", waits);
    if (!waits)
        WEAK("no handler held a reference when a batch was retired");
    if (!timer_answers)
        WEAK("no timer interrupt met a foreign INT3");
    saw(SEE_TRAPS, taken);
}

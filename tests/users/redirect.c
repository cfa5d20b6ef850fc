/* SPDX-License-Identifier: MIT */
/* Functions of this file, redirected while they are called. */
#include "poke/users/redirect.h"

#include "kernel/cpu/regs.h"
#include "poke/users/reclaim.h"
#include "tests/users/all_at_once.h"

#define BODIES    3u
#define DWELL_MIN 32u /* pauses in a function; on an emulator that takes turns, others' turns */
#define DWELL_MAX 512u

/*
 * By body: executions that are inside. Each body names itself at its beginning and at its end, so
 * that one which is not executed whole is noticed.
 */
static uint32_t inside[BODIES];
static uint32_t dwell = DWELL_MIN; /* the patcher writes it */

/* Interrupts would leave the threads no time. */
static bool in_thread(void)
{
    uint64_t flags = irq_save();

    irq_restore(flags);
    return flags & RFLAGS_IF;
}

static uint64_t body(unsigned number, uint64_t x)
{
    fetch_add(&inside[number], 1);
    uint64_t begun = 8 * x + number;

    for (unsigned i = in_thread() ? load_relaxed(&dwell) : 0; i > 0; i--)
        cpu_relax();
    fetch_sub(&inside[number], 1);
    return begun << 32 | (8 * x + number);
}

REDIRECTABLE static uint64_t original(uint64_t x)
{
    return body(0, x);
}

REDIRECTABLE static uint64_t second(uint64_t x)
{
    return body(1, x);
}

/* No redirection of its own: any function will do. */
__attribute__((noipa)) static uint64_t third(uint64_t x)
{
    return body(2, x);
}

static uint64_t (*const bodies[BODIES])(uint64_t x) = { original, second, third };

static uint64_t answer_of(unsigned number, uint64_t x)
{
    return (8 * x + number) << 32 | (8 * x + number);
}

TEST_BARE("text of its own that can be patched", users, redirect_states,
          "a function's calls execute another one, and it again; what is not so is refused",
          .budget_ms = 50, .must_see = { { SEE_PATCHES, 5 } })
{
    uint64_t sites = poke_counters()->sites;

    EXPECT_EQ(original(5), answer_of(0, 5));
    EXPECT_EQ(redirect(original, original, second), POKE_OK);
    EXPECT_EQ(original(5), answer_of(1, 5));
    EXPECT_EQ(redirect(second, second, third), POKE_OK); /* a chain */
    EXPECT_EQ(original(5), answer_of(2, 5));
    EXPECT_EQ(redirect(second, third, second), POKE_OK);
    EXPECT_EQ(redirect(original, second, third), POKE_OK);
    EXPECT_EQ(original(5), answer_of(2, 5));
    EXPECT_EQ(second(5), answer_of(1, 5));

    EXPECT_EQ(redirect(original, second, original), POKE_E_EXPECTED);
    EXPECT_EQ(redirect(original, original, second), POKE_E_EXPECTED);
    EXPECT_EQ(redirect(third, third, second), POKE_E_ADDRESS);
    EXPECT_EQ(redirect_function(original, third, (void *)(1ull << 40)), POKE_E_DISPLACEMENT);
    text_mutex_lock();
    EXPECT_EQ(redirect(original, third, original), POKE_E_LOCK);
    EXPECT_EQ(text_synchronise(), POKE_E_LOCK);
    text_mutex_unlock();
    EXPECT_EQ(original(5), answer_of(2, 5));
    EXPECT_EQ(redirect(original, third, original), POKE_OK);
    EXPECT_EQ(original(5), answer_of(0, 5));
    saw(SEE_PATCHES, poke_counters()->sites - sites);
}

/* ---- under load ---- */

static uint64_t argument_of(uint64_t turn)
{
    return turn % 1000 + 1;
}

static uint64_t run_original(uint64_t turn)
{
    return original(argument_of(turn));
}

static bool answer_allowed(uint64_t value, uint64_t turn, uint64_t first, uint64_t last)
{
    for (uint64_t v = first; v <= last; v++)
        if (value == answer_of(v % BODIES, argument_of(turn)))
            return true;
    return false;
}

/* The patcher's. Times that cores were inside the old body behind its patch; behind the wait. */
static uint64_t met_inside, left_inside;
static unsigned reached;

static enum poke_error go_to(uint64_t version)
{
    unsigned old = reached, new = version % BODIES;
    enum poke_error e = redirect(original, bodies[old], bodies[new]);

    if (e)
        return e;
    reached = new;
    if (load_acquire(&inside[old]))
        met_inside++;
    else if (dwell < DWELL_MAX) /* until some stay for longer than a patch takes */
        store_relaxed(&dwell, dwell * 2);
    e = text_synchronise();
    left_inside += load_acquire(&inside[old]) != 0;
    return e;
}

static void nothing_met(__attribute__((unused)) struct test_run *t)
{
    met_inside = left_inside = reached = 0;
    dwell = DWELL_MIN;
}

static void back_to_original(struct test_run *t)
{
    EXPECT_EQ(left_inside, 0);
    EXPECT_EQ(redirect(original, bodies[reached], original), POKE_OK);
}

TEXT_USER(redirect, { run_original, answer_allowed, go_to }, nothing_met, back_to_original);

TEST_BARE("text of its own that can be patched", users, redirect_race,
          "each call of a redirected function executes one whole; after a wait none is in the old",
          .cpus = 2, .budget_ms = 200, .default_ms = 300,
          .must_see = { { SEE_EXECUTIONS, 40 },
                        { SEE_OVERLAPS, 50 },
                        { SEE_PATCHES, 20 },
                        { SEE_INT3_HITS, 10 },
                        { SEE_TIMER_EXECUTIONS, 10 },
                        { SEE_NMI_EXECUTIONS, 10 } })
{
    nothing_met(t);
    user_load_run(t, &user_redirect.load);
    json_uint(&t->data, "inside_old_after_patch", met_inside);
    if (met_inside < 10)
        WEAK("after %llu patches only was a core inside the old function",
             (unsigned long long)met_inside);
    back_to_original(t);
}

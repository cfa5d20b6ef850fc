/* SPDX-License-Identifier: MIT */
/* Static calls, at sites that the compiler made of this file's own calls. */
#include "poke/users/static_call.h"

#include "kernel/lib/string.h"
#include "tests/users/all_at_once.h"

#define NOINLINE __attribute__((noinline, noclone))

/* Each names itself in the answer. Not static: the trampolines name them. */
#define TARGETS 3u
long users_target_0(long x);
long users_target_1(long x);
long users_target_2(long x);

long users_target_0(long x)
{
    return 8 * x + 1;
}

long users_target_1(long x)
{
    return 8 * x + 2;
}

long users_target_2(long x)
{
    return 8 * x + 3;
}

DEFINE_STATIC_CALL(users_number, users_target_0);

static uint32_t notes;
void users_note(void);

void users_note(void)
{
    notes++;
}

DEFINE_STATIC_CALL_NULL(users_event, users_note);

/* A call, twice in one function; a tail call, and one under a condition, which no C here makes. */
NOINLINE static long call_twice(long x)
{
    return static_call(users_number)(x) << 32 | static_call(users_number)(x);
}

long users_tail_call(long x);
long users_conditional_call(long x);
__asm__(".pushsection .text.users_calls, \"ax\", @progbits\n"
        "users_tail_call:\n\t"
        "jmp static_call_tramp_users_number\n"
        "users_conditional_call:\n\t"
        "test %rdi, %rdi\n\t"
        "jne static_call_tramp_users_number\n\t"
        "xor %eax, %eax\n\t"
        "ret\n\t"
        ".popsection");

NOINLINE static void note(void)
{
    static_call(users_event)();
}

/* Through the trampoline's address, as whoever has taken it. */
static long (*volatile trampoline)(long x) = STATIC_CALL_TRAMP(users_number);

static bool all_answer(long x, long answer)
{
    return call_twice(x) == (answer << 32 | answer) && users_tail_call(x) == answer &&
           users_conditional_call(x) == answer && trampoline(x) == answer;
}

TEST_BARE("text of its own that can be patched", users, static_call_targets,
          "every kind of site goes to the target, to nothing, or to 0, and back", .budget_ms = 50,
          .must_see = { { SEE_PATCHES, 15 } })
{
    uint64_t sites = poke_counters()->sites;

    EXPECT_EQ(STATIC_CALL_KEY(users_number).count, 4);
    EXPECT(all_answer(5, 41));
    EXPECT_EQ(static_call_update(users_number, users_target_1), POKE_OK);
    EXPECT(all_answer(5, 42));
    EXPECT_EQ(static_call_update(users_number, STATIC_CALL_RETURN0), POKE_OK);
    EXPECT(all_answer(5, 0));
    EXPECT_EQ(static_call_update(users_number, users_target_2), POKE_OK);
    EXPECT(all_answer(5, 43));
    EXPECT_EQ(users_conditional_call(0), 0);

    notes = 0;
    note();
    EXPECT_EQ(notes, 0);
    EXPECT_EQ(static_call_update(users_event, users_note), POKE_OK);
    note();
    EXPECT_EQ(notes, 1);
    EXPECT_EQ(static_call_update(users_event, NULL), POKE_OK);
    note();
    EXPECT_EQ(notes, 1);
    saw(SEE_PATCHES, poke_counters()->sites - sites);

    text_mutex_lock();
    EXPECT_EQ(static_call_update(users_number, users_target_0), POKE_E_LOCK);
    text_mutex_unlock();
    EXPECT_EQ(static_call_set(&STATIC_CALL_KEY(users_number), (void *)(1ull << 40)),
              POKE_E_DISPLACEMENT);
    EXPECT(all_answer(5, 43));
    EXPECT_EQ(static_call_update(users_number, users_target_0), POKE_OK);
}

/* ---- under load ---- */

/* What version `v` answers: every fourth is nothing but 0. */
static uint32_t answer_of(uint64_t v, uint64_t x)
{
    return v % 4 == 3 ? 0 : (uint32_t)(8 * x + 1 + v % 4);
}

static void *target_of(uint64_t v)
{
    static long (*const targets[TARGETS])(long x) = { users_target_0, users_target_1,
                                                      users_target_2 };

    return v % 4 == 3 ? STATIC_CALL_RETURN0 : (void *)targets[v % 4];
}

static uint64_t argument_of(uint64_t turn)
{
    return turn % 1000 + 1;
}

/* Two answers in one word, by every kind of site in turn. */
static uint64_t run_calls(uint64_t turn)
{
    long x = (long)argument_of(turn);

    switch (turn % 4) {
    case 0:
        return (uint64_t)users_tail_call(x) << 32 | (uint32_t)call_twice(x);
    case 1:
        return (uint64_t)users_conditional_call(x) << 32 | (uint32_t)trampoline(x);
    }
    return (uint64_t)call_twice(x);
}

static bool may_be(uint32_t answer, uint64_t x, uint64_t first, uint64_t last)
{
    for (uint64_t v = first; v <= last; v++)
        if (answer == answer_of(v, x))
            return true;
    return false;
}

static bool answers_allowed(uint64_t value, uint64_t turn, uint64_t first, uint64_t last)
{
    uint64_t x = argument_of(turn);

    return may_be((uint32_t)value, x, first, last) && may_be(value >> 32, x, first, last);
}

static enum poke_error update(uint64_t version)
{
    return static_call_set(&STATIC_CALL_KEY(users_number), target_of(version));
}

static void call_to_first(struct test_run *t)
{
    EXPECT_EQ(static_call_update(users_number, users_target_0), POKE_OK);
}

TEXT_USER(static_call, { run_calls, answers_allowed, update }, call_to_first, call_to_first);

TEST_BARE("text of its own that can be patched", users, static_call_race,
          "a static call changes its target under threads, interrupts and NMIs: old or new, whole",
          .cpus = 2, .budget_ms = 200, .default_ms = 300,
          .must_see = { { SEE_EXECUTIONS, 200 },
                        { SEE_OVERLAPS, 20 },
                        { SEE_PATCHES, 30 },
                        { SEE_INT3_HITS, 20 },
                        { SEE_TIMER_EXECUTIONS, 3 },
                        { SEE_NMI_EXECUTIONS, 3 } })
{
    call_to_first(t);
    user_load_run(t, &user_static_call.load);
    call_to_first(t);
}

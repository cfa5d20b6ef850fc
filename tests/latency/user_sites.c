/* SPDX-License-Identifier: MIT */
/*
 * What the sites of text users cost that nobody switches: a static key's NOP in a loop beside the
 * same loop without one; a function's entry that can be traced, and one that is, beside the same
 * function without; a static call beside a direct call and one through a pointer.
 *
 * A loop is a function of STEPS steps without a branch of its own, so that where the compiler puts
 * a loop's head decides nothing; all begin in a line. Its answer tells how many steps it took, and
 * of which kind: with each site switched it is another one. The functions that are called do
 * nothing else: what is timed is the call.
 */
#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "kernel/time/time.h"
#include "poke/users/ftrace.h"
#include "poke/users/jump_label.h"
#include "poke/users/static_call.h"
#include "tests/latency/instruction_count.h"
#include "tests/latency/measure.h"
#include "tests/lib/figure.h"

#define STEPS       64u /* of a loop */
#define CALLS       16u /* of a loop, in a sample */
#define TURNS_LEAST 100u

#define FOUR(x) x x x x
#define LOOP(name, step)                                                                           \
    __attribute__((noipa, aligned(CACHE_LINE))) static uint64_t name(uint64_t x)                   \
    {                                                                                              \
        FOUR(FOUR(FOUR(step)))                                                                     \
        return x;                                                                                  \
    }

/* ---- what is called ---- */

#define SWITCHED (1ull << 32) /* what a step adds beyond 1 where its static call is switched */

/*
 * With a frame: what can be traced has one in any case. All in a page where no loop is: the
 * emulator is slower at a branch that leaves its page.
 */
#define CALLED(specifiers, align, name, addend)                                                    \
    specifiers __attribute__((noipa, aligned(align), section(".text.user_sites"))) uint64_t name(  \
        uint64_t x)                                                                                \
    {                                                                                              \
        __asm__ volatile("" ::"r"(__builtin_frame_address(0)));                                    \
        return x + (addend);                                                                       \
    }

uint64_t latency_untraced(uint64_t x); /* not static: the trampoline names it */

CALLED(notrace, PAGE_SIZE, latency_untraced, 1)
CALLED(notrace static, CACHE_LINE, other_untraced, 1 + SWITCHED)
CALLED(static, CACHE_LINE, not_traced, 1)
CALLED(static, CACHE_LINE, traced, 1)

DEFINE_STATIC_CALL(latency_call, latency_untraced);
static DEFINE_STATIC_KEY_FALSE(key);
static volatile uint64_t key_taken; /* in memory: the way past the branch keeps the registers */
static uint64_t (*pointer)(uint64_t x) = latency_untraced;

/* Executed by the boot core alone. */
static uint64_t calls_traced;

notrace static void count(__attribute__((unused)) uintptr_t ip,
                          __attribute__((unused)) uintptr_t parent_ip,
                          __attribute__((unused)) struct tracer *tracer)
{
    calls_traced++;
}

DEFINE_TRACER(counter, count);

/* ---- the loops ---- */

/* Each on its own: the compiler knows nothing of x. */
#define STEP __asm__ volatile("add $1, %0" : "+r"(x)::"cc");

LOOP(no_site, STEP)
LOOP(key_off, if (static_branch_unlikely(&key)) key_taken++; STEP)
LOOP(direct_call, x = latency_untraced(x);)
LOOP(pointer_call, x = load_relaxed(&pointer)(x);)
LOOP(a_static_call, x = static_call(latency_call)(x);)
LOOP(trace_off, x = not_traced(x);)
LOOP(trace_on, x = traced(x);)

enum { NO_SITE, KEY_OFF, DIRECT, POINTER, STATIC, TRACE_OFF, TRACE_ON, LOOPS };

static uint64_t (*const loops[LOOPS])(uint64_t x) = {
    [NO_SITE] = no_site,      [KEY_OFF] = key_off,      [DIRECT] = direct_call,
    [POINTER] = pointer_call, [STATIC] = a_static_call, [TRACE_OFF] = trace_off,
    [TRACE_ON] = trace_on,
};
static const char *const names[LOOPS] = {
    "no_site", "key_off", "direct_call", "pointer_call", "static_call", "trace_off", "trace_on",
};

/* ---- are they what they are called? ---- */

static bool begins_with_nop(uint64_t (*function)(uint64_t))
{
    return !memcmp((const void *)function, poke_nop5, sizeof poke_nop5);
}

/* Is the one, behind its NOP, the same as the other up to its RET? */
static bool differ_by_nop(uint64_t (*one)(uint64_t), uint64_t (*other)(uint64_t))
{
    const uint8_t *a = (const uint8_t *)one + sizeof poke_nop5, *b = (const uint8_t *)other;

    while (*a == *b && *a != RET_INSN_OPCODE)
        a++, b++;
    return begins_with_nop(one) && *a == *b;
}

/* A static call's site of five bytes, by its displacement: a CALL that goes straight to `func`? */
static bool calls_directly(const struct static_call_site *site, const void *func)
{
    int32_t disp;

    memcpy(&disp, (const void *)site->disp, sizeof disp);
    return ((const uint8_t *)site->disp)[-1] == CALL_INSN_OPCODE &&
           site->disp + sizeof disp + (intptr_t)disp == (uintptr_t)func;
}

/* Every site is there and in the loop that has its name: switched, it gives another answer. */
static void check_sites(struct test_run *t)
{
    struct static_call_key *call = &STATIC_CALL_KEY(latency_call);

    EXPECT_EQ(key.count, STEPS);
    EXPECT_EQ(static_key_enable(&key), POKE_OK);
    key_taken = 0;
    EXPECT_EQ(key_off(0), STEPS);
    EXPECT_EQ(key_taken, STEPS);
    EXPECT_EQ(static_key_disable(&key), POKE_OK);

    EXPECT_EQ(call->count, STEPS);
    EXPECT_EQ(static_call_update(latency_call, other_untraced), POKE_OK);
    EXPECT_EQ(a_static_call(0), STEPS * (1 + SWITCHED));
    EXPECT_EQ(static_call_update(latency_call, latency_untraced), POKE_OK);
    for (unsigned i = 0; i < call->count; i++)
        EXPECT(calls_directly(&call->sites[i], (const void *)latency_untraced));

    EXPECT_EQ(ftrace_set_function((const void *)latency_untraced, &counter), POKE_E_ADDRESS);
    EXPECT(differ_by_nop(not_traced, latency_untraced));
    EXPECT_EQ(ftrace_functions_of(&counter), 1);
    EXPECT(!begins_with_nop(traced));
    for (unsigned i = 0; i < LOOPS; i++)
        EXPECT_EQ(loops[i](0), STEPS);
}

static void begin(struct test_run *t)
{
    calls_traced = 0;
    EXPECT_EQ(ftrace_set_function((const void *)traced, &counter), POKE_OK);
    check_sites(t);
}

/* `runs` of each loop since begin(), and the one of the check. */
static void end(struct test_run *t, uint64_t runs)
{
    EXPECT_EQ(ftrace_set_function((const void *)traced, NULL), POKE_OK);
    EXPECT_EQ(calls_traced, (runs + 1) * STEPS);
    EXPECT_EQ(key_taken, STEPS);
}

/* ---- times ---- */

static struct series series[LOOPS];

/* False if the loop has not taken the steps that it is timed for. */
static bool sample(unsigned i)
{
    uint64_t x = 0;
    struct measured m;

    measure_begin(&m);
    for (unsigned call = 0; call < CALLS; call++)
        x = loops[i](x);
    measure_end(&m);
    series_add(&series[i], &m.sample);
    return x == CALLS * STEPS;
}

static void report(struct test_run *t)
{
    measure_report_trust(t);
    for (unsigned i = 0; i < LOOPS; i++)
        series_report(&t->data, &series[i]);
    figures_begin(t);
    figure_of_ratio(t, "users.key_off_over_no_site", &series[KEY_OFF], &series[NO_SITE], 1);
    figure_of_ratio(t, "users.static_call_over_direct", &series[STATIC], &series[DIRECT], 1);
    figure_of_ratio(t, "users.static_call_over_pointer", &series[STATIC], &series[POINTER], 1);
    figure_of_ratio(t, "users.trace_off_over_untraced", &series[TRACE_OFF], &series[DIRECT], 1);
    figure_of_ratio(t, "users.trace_on_over_untraced", &series[TRACE_ON], &series[DIRECT], 1);
    figure_of_ratio(t, "users.trace_on_over_off", &series[TRACE_ON], &series[TRACE_OFF], 1);
    figure_of_series(t, "users.trace_on", &series[TRACE_ON]);
    figures_end(t);
}

TEST_BARE("text of its own that can be patched", latency, user_sites,
          "what the sites of static keys, static calls and traced functions cost in a loop",
          .budget_ms = 500, .default_ms = 300,
          .must_see = { { SEE_EXECUTIONS, TURNS_LEAST *LOOPS *CALLS *STEPS } })
{
    unsigned turns = 0, wrong = 0;

    measure_init();
    for (unsigned i = 0; i < LOOPS; i++)
        series_init(&series[i], names[i], CALLS * STEPS);
    begin(t);
    for (uint64_t ends = rdtsc() + time_ns_to_ticks(test_duration_ms(t) * 1000000);
         turns < TURNS_LEAST || rdtsc() < ends; turns++)
        for (unsigned i = 0; i < LOOPS; i++)
            wrong += !sample(i);
    end(t, (uint64_t)turns * CALLS);
    if (wrong)
        FAIL("%u samples of loops that took other steps", wrong);
    saw(SEE_EXECUTIONS, (uint64_t)turns * LOOPS * CALLS * STEPS);
    report(t);
}

/* ---- instructions ---- */

struct op {
    unsigned loop;
    uint64_t answer;
};

static void run(struct op *op)
{
    op->answer = loops[op->loop](0);
}

static struct instructions count_loop(unsigned loop)
{
    struct instructions all = INSTRUCTIONS_NONE;
    struct op op = { .loop = loop };

    for (unsigned i = 0; i < INSTRUCTION_REPEATS; i++) {
        instructions_add(&all, run, &op);
        if (op.answer != STEPS)
            return INSTRUCTIONS_FAILED;
    }
    return all;
}

TEST_BARE("text of its own that can be patched", latency, instructions_of_sites,
          "instructions that the sites of static keys, static calls and traced functions add",
          .budget_ms = 100)
{
    struct instructions of[LOOPS];

    if (!instructions_begin(t))
        return;
    begin(t);
    for (unsigned i = 0; i < LOOPS; i++)
        of[i] = count_loop(i);
    end(t, INSTRUCTION_REPEATS);
    instructions_end();

    figures_begin(t);
    figure_of_instructions(t, "instructions.key_site_off",
                           instructions_beyond(of[KEY_OFF], of[NO_SITE]), STEPS);
    figure_of_instructions(t, "instructions.static_call_site",
                           instructions_beyond(of[STATIC], of[DIRECT]), STEPS);
    figure_of_instructions(t, "instructions.trace_site_off",
                           instructions_beyond(of[TRACE_OFF], of[DIRECT]), STEPS);
    figure_of_instructions(t, "instructions.trace_call",
                           instructions_beyond(of[TRACE_ON], of[DIRECT]), STEPS);
    figures_end(t);
}

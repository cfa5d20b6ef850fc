/* SPDX-License-Identifier: MIT */
/*
 * Function tracing under load: every pass is traced as one of the versions says that it may meet,
 * and by one tracer alone.
 */
#include "poke/users/ftrace.h"
#include "tests/users/all_at_once.h"
#include "tests/users/met.h"

#define NOINLINE __attribute__((noinline, noclone))

/* ---- what is executed ---- */

#define RACED 8u

#define RACED_FUNCTION(n)                                                                          \
    long users_raced_##n(long x);                                                                  \
    NOINLINE long users_raced_##n(long x)                                                          \
    {                                                                                              \
        __asm__ volatile("" ::: "memory");                                                         \
        return 8 * x + (n);                                                                        \
    }
RACED_FUNCTION(0)
RACED_FUNCTION(1)
RACED_FUNCTION(2)
RACED_FUNCTION(3)
RACED_FUNCTION(4)
RACED_FUNCTION(5)
RACED_FUNCTION(6)
RACED_FUNCTION(7)

static long (*const raced[RACED])(long x) = { users_raced_0, users_raced_1, users_raced_2,
                                              users_raced_3, users_raced_4, users_raced_5,
                                              users_raced_6, users_raced_7 };

/* ---- who has traced it ---- */

/* To the execution's word, as digits to base 4: the tracers that its pass has met. */
notrace static void note(uintptr_t ip, unsigned tracer)
{
    uint64_t *digits = met_here();

    for (unsigned i = 0; i < RACED; i++)
        if (ip == (uintptr_t)raced[i])
            *digits = *digits * 4 + tracer;
}

notrace static void note_first(uintptr_t ip, __attribute__((unused)) uintptr_t parent_ip,
                               __attribute__((unused)) struct tracer *tracer)
{
    note(ip, 1);
}

notrace static void note_second(uintptr_t ip, __attribute__((unused)) uintptr_t parent_ip,
                                __attribute__((unused)) struct tracer *tracer)
{
    note(ip, 2);
}

DEFINE_TRACER(first_tracer, note_first);
notrace static void note_third(uintptr_t ip, __attribute__((unused)) uintptr_t parent_ip,
                               __attribute__((unused)) struct tracer *tracer)
{
    note(ip, 3);
}

DEFINE_TRACER(second_tracer, note_second);
DEFINE_TRACER(third_tracer, note_third);

#define WRONG_RESULT 99

static uint64_t run_raced(uint64_t turn)
{
    long x = (long)(turn % 1000);

    struct met met;

    met_begin(&met);
    bool right = raced[turn % RACED](x) == 8 * x + (long)(turn % RACED);
    uint64_t digits = met_end(&met);

    return right ? digits : WRONG_RESULT;
}

/* Memory for the notes, or the test has none. */
static bool notes_ready(struct test_run *t)
{
    bool ready = met_ready();

    if (!ready)
        ERROR("no memory for the notes");
    return ready;
}

/* A context that interrupts a tracer is traced all the same. */
static void load_without_recursion(struct test_run *t, const struct user_load *load)
{
    uint64_t recursions = ftrace_recursions();

    user_load_run(t, load);
    EXPECT_EQ(ftrace_recursions(), recursions);
}

/* ---- from one tracer to another ---- */

static bool first_or_second(uint64_t value, __attribute__((unused)) uint64_t turn, uint64_t first,
                            uint64_t last)
{
    for (uint64_t v = first; v <= last; v++)
        if (value == 1 + v % 2)
            return true;
    return false;
}

static enum poke_error go_to_other(uint64_t version)
{
    return version % 2 ? ftrace_replace(&first_tracer, &second_tracer)
                       : ftrace_replace(&second_tracer, &first_tracer);
}

TEST_BARE("text of its own that can be patched", users, ftrace_replace_race,
          "from one tracer to another, under threads, interrupts and NMIs: each pass meets one",
          .cpus = 2, .budget_ms = 200, .default_ms = 300,
          .must_see = { { SEE_EXECUTIONS, 200 },
                        { SEE_OVERLAPS, 20 },
                        { SEE_PATCHES, 30 },
                        { SEE_INT3_HITS, 20 },
                        { SEE_TIMER_EXECUTIONS, 3 },
                        { SEE_NMI_EXECUTIONS, 3 } })
{
    static const struct user_load load = { run_raced, first_or_second, go_to_other };

    if (!notes_ready(t))
        return;
    REQUIRE(ftrace_set_filter("users_raced_?", &first_tracer) == POKE_OK);
    EXPECT_EQ(ftrace_functions_of(&first_tracer), RACED);
    load_without_recursion(t, &load);
    EXPECT_EQ(ftrace_functions_of(&first_tracer), RACED);
    EXPECT_EQ(ftrace_set_filter("users_raced_?", NULL), POKE_OK);
}

/* ---- all functions, and none ---- */

static bool traced_or_not(uint64_t value, __attribute__((unused)) uint64_t turn, uint64_t first,
                          uint64_t last)
{
    return first == last ? value == last % 2 : value <= 1;
}

static enum poke_error all_or_none(uint64_t version)
{
    return ftrace_set_filter("*", version % 2 ? &first_tracer : NULL);
}

TEST_BARE("text of its own that can be patched", users, ftrace_all_race,
          "all functions that can be traced are, and are not, while they are executed", .cpus = 2,
          .budget_ms = 500, .default_ms = 500,
          .must_see = { { SEE_EXECUTIONS, 200 },
                        { SEE_OVERLAPS, 20 },
                        { SEE_PATCHES, 1000 },
                        { SEE_INT3_HITS, 20 },
                        { SEE_TIMER_EXECUTIONS, 3 },
                        { SEE_NMI_EXECUTIONS, 4 } })
{
    static const struct user_load load = { run_raced, traced_or_not, all_or_none };
    uint64_t patches = poke_counters()->sites;

    if (!notes_ready(t))
        return;
    REQUIRE(ftrace_functions() > 100); /* or the build has made none */
    EXPECT_EQ(ftrace_set_filter("*", &first_tracer), POKE_OK);
    EXPECT_EQ(ftrace_functions_of(&first_tracer), ftrace_functions());
    EXPECT_EQ(ftrace_set_filter("*", NULL), POKE_OK);
    EXPECT_EQ(poke_counters()->sites - patches, 2ull * ftrace_functions());

    patches = poke_counters()->sites;
    load_without_recursion(t, &load);
    EXPECT_EQ((poke_counters()->sites - patches) % ftrace_functions(), 0);
    EXPECT_EQ(ftrace_functions_of(NULL), ftrace_functions());
    json_uint(&t->data, "functions", ftrace_functions());
}

/* ---- the one, the other, all functions, and none: in users/all_at_once ---- */

#define CYCLE       6u /* first, second, all, none, first, second */
#define ALL_IN_IT   2u
#define NONE_IN_IT  3u
#define FIRST_AGAIN 4u

static unsigned tracer_in(uint64_t version)
{
    switch (version % CYCLE) {
    case ALL_IN_IT:
        return 3;
    case NONE_IN_IT:
        return 0;
    }
    return 1 + version % 2;
}

/* A pass through each function, and a byte for what it has met. */
static uint64_t run_each(uint64_t turn)
{
    uint64_t all = 0;

    for (unsigned i = 0; i < RACED; i++) {
        uint64_t digits = run_raced(turn * RACED + i);

        all |= (digits < WRONG_RESULT ? digits : WRONG_RESULT) << 8 * i;
    }
    return all;
}

static bool tracer_allowed(uint64_t tracer, uint64_t first, uint64_t last)
{
    for (uint64_t v = first; v <= last; v++)
        if (tracer == tracer_in(v))
            return true;
    return false;
}

static bool each_allowed(uint64_t all, __attribute__((unused)) uint64_t turn, uint64_t first,
                         uint64_t last)
{
    for (unsigned i = 0; i < RACED; i++)
        if (!tracer_allowed(all >> 8 * i & 0xff, first, last))
            return false;
    return true;
}

static enum poke_error go_to_tracer(uint64_t version)
{
    switch (version % CYCLE) {
    case ALL_IN_IT:
        return ftrace_set_filter("*", &third_tracer);
    case NONE_IN_IT:
        return ftrace_set_filter("*", NULL);
    case FIRST_AGAIN:
        return ftrace_set_filter("users_raced_?", &first_tracer);
    }
    return go_to_other(version);
}

static uint64_t recursions_before;

static void trace_first(struct test_run *t)
{
    recursions_before = ftrace_recursions();
    if (notes_ready(t))
        EXPECT_EQ(ftrace_set_filter("users_raced_?", &first_tracer), POKE_OK);
}

static void trace_none(struct test_run *t)
{
    EXPECT_EQ(ftrace_set_filter("*", NULL), POKE_OK);
    EXPECT_EQ(ftrace_recursions(), recursions_before);
}

TEXT_USER(ftrace, { run_each, each_allowed, go_to_tracer }, trace_first, trace_none);

/* SPDX-License-Identifier: MIT */
/* A backtrace names its callers, and stops where the stack stops making sense. */
#include "kernel/trap/backtrace.h"

#include "kernel/lib/string.h"
#include "tests/harness/test.h"

static unsigned innermost_of_three(uint64_t *trace)
{
    uint64_t here;

    __asm__ volatile("lea 0(%%rip), %0" : "=r"(here));
    return backtrace_collect(here, (uint64_t)__builtin_frame_address(0), trace);
}

__attribute__((noinline)) static unsigned middle_of_three(uint64_t *trace)
{
    unsigned n = innermost_of_three(trace);

    __asm__ volatile("" ::: "memory");
    return n;
}

__attribute__((noinline)) static unsigned outermost_of_three(uint64_t *trace)
{
    unsigned n = middle_of_three(trace);

    __asm__ volatile("" ::: "memory");
    return n;
}

static bool names(uint64_t address, const char *function)
{
    char text[96];

    backtrace_symbol(address, text, sizeof text);
    return strncmp(text, function, strlen(function)) == 0 && text[strlen(function)] == '+';
}

TEST_BARE("symbols of its own", unit, backtrace_names_callers,
          "the chain of frames leads from a function to its callers")
{
    uint64_t trace[BACKTRACE_MAX];
    unsigned n = outermost_of_three(trace);

    REQUIRE(n >= 3);
    EXPECT(names(trace[0], "middle_of_three")); /* the innermost is inlined into it */
    EXPECT(names(trace[1], "outermost_of_three"));
    EXPECT(names(trace[2], "test_body_unit_backtrace_names_callers"));
}

TEST_BARE("symbols of its own", unit, backtrace_survives_garbage,
          "a frame pointer that is garbage ends the trace, no more")
{
    static const uint64_t garbage[] = { 0, 1, 8, 0x8000000000000000, 0x123456789000, UINT64_MAX };
    uint64_t trace[BACKTRACE_MAX];

    for (unsigned i = 0; i < sizeof garbage / sizeof garbage[0]; i++)
        EXPECT_EQ(backtrace_collect((uint64_t)names, garbage[i], trace), 1);
}

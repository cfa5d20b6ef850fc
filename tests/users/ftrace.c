/* SPDX-License-Identifier: MIT */
/* Function tracing, of functions that the compiler has made of this kernel's C. */
#include "poke/users/ftrace.h"

#include <stdarg.h>

#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "smp/percpu.h"
#include "tests/lib/state_call.h"
#include "tests/users/load.h"

#define NOINLINE __attribute__((noinline, noclone))

/* ---- what is traced ---- */

#define TRACED 4u

/* Not static, as their names are asked for. The memory clobber keeps each call. */
long users_traced_0(long x);
long users_traced_1(long x);
long users_traced_2(long x);
long users_traced_3(long x);
long users_many_arguments(long a, long b, long c, long d, long e, long f, long g, long h);
long users_sum(unsigned n, ...);

#define TRACED_FUNCTION(n)                                                                         \
    NOINLINE long users_traced_##n(long x)                                                         \
    {                                                                                              \
        __asm__ volatile("" ::: "memory");                                                         \
        return 8 * x + (n);                                                                        \
    }
TRACED_FUNCTION(0)
TRACED_FUNCTION(1)
TRACED_FUNCTION(2)
TRACED_FUNCTION(3)

static long call_traced(uint64_t turn, long x)
{
    static long (*const traced[TRACED])(long x) = { users_traced_0, users_traced_1, users_traced_2,
                                                    users_traced_3 };

    return traced[turn % TRACED](x);
}

NOINLINE long users_many_arguments(long a, long b, long c, long d, long e, long f, long g, long h)
{
    return a + 10 * b + 100 * c + 1000 * d + 10000 * e + 100000 * f + 1000000 * g + 10000000 * h;
}

NOINLINE long users_sum(unsigned n, ...)
{
    va_list args;
    long sum = 0;

    va_start(args, n);
    while (n--)
        sum += va_arg(args, long);
    va_end(args);
    return sum;
}

/* ---- tracers ---- */

static uint32_t counted;
static uintptr_t last_ip, last_parent;

notrace static void count(uintptr_t ip, uintptr_t parent_ip,
                          __attribute__((unused)) struct tracer *tracer)
{
    fetch_add(&counted, 1);
    store_relaxed(&last_ip, ip);
    store_relaxed(&last_parent, parent_ip);
}

DEFINE_TRACER(counter, count);

/* Changes every register that a C function may change, but those that it is called with. */
notrace static void clobber(uintptr_t ip, uintptr_t parent_ip, struct tracer *tracer)
{
    __asm__ volatile("" ::"r"(ip), "r"(parent_ip), "r"(tracer));
    __asm__ volatile("mov $-1, %%rax; mov %%rax, %%rcx; mov %%rax, %%rdx; mov %%rax, %%rsi\n\t"
                     "mov %%rax, %%rdi; mov %%rax, %%r8; mov %%rax, %%r9; mov %%rax, %%r10\n\t"
                     "mov %%rax, %%r11"
                     :
                     :
                     : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory");
    fetch_add(&counted, 1);
}

DEFINE_TRACER(clobberer, clobber);

/* Calls what it traces. */
notrace static void call_again(__attribute__((unused)) uintptr_t ip,
                               __attribute__((unused)) uintptr_t parent_ip,
                               __attribute__((unused)) struct tracer *tracer)
{
    fetch_add(&counted, 1);
    call_traced(1, 0);
}

DEFINE_TRACER(recursive, call_again);

/* ---- one function, and some ---- */

TEST_BARE("text of its own that can be patched", users, ftrace_filter,
          "a filter by name counts the calls of the functions that it names, exactly",
          .budget_ms = 50, .must_see = { { SEE_PATCHES, 9 } })
{
    uint64_t sites = poke_counters()->sites;

    counted = 0;
    EXPECT_EQ(ftrace_set_filter("users_traced_2", &counter), POKE_OK);
    EXPECT_EQ(ftrace_functions_of(&counter), 1);
    for (unsigned turn = 0; turn < 10 * TRACED; turn++)
        EXPECT_EQ(call_traced(turn, 5), 40 + turn % TRACED);
    EXPECT_EQ(counted, 10);
    EXPECT_EQ(last_ip, (uintptr_t)users_traced_2);
    /* Behind the CALL in call_traced(), or in what it was inlined into. */
    EXPECT(machine_is_patchable(last_parent, 1) && last_parent != last_ip);

    EXPECT_EQ(ftrace_set_filter("users_traced_?", &counter), POKE_OK);
    EXPECT_EQ(ftrace_functions_of(&counter), TRACED);
    for (unsigned turn = 0; turn < 10 * TRACED; turn++)
        call_traced(turn, 5);
    EXPECT_EQ(counted, 10 + 10 * TRACED);

    /* Each function has its own. */
    EXPECT_EQ(ftrace_set_function((const void *)users_traced_1, &clobberer), POKE_OK);
    EXPECT_EQ(ftrace_functions_of(&counter), TRACED - 1);
    EXPECT_EQ(ftrace_functions_of(&clobberer), 1);
    EXPECT_EQ(ftrace_replace(&counter, NULL), POKE_OK);
    EXPECT_EQ(ftrace_functions_of(&clobberer), 1);
    EXPECT_EQ(ftrace_set_filter("*", NULL), POKE_OK);
    EXPECT_EQ(ftrace_functions_of(NULL), ftrace_functions());
    counted = 0;
    for (unsigned turn = 0; turn < TRACED; turn++)
        call_traced(turn, 5);
    EXPECT_EQ(counted, 0);
    saw(SEE_PATCHES, poke_counters()->sites - sites);
}

TEST_BARE("text of its own that can be patched", users, ftrace_state,
          "a traced function is called with what its caller passed, and its caller gets its result",
          .budget_ms = 50, .must_see = { { SEE_PATCHES, 12 } })
{
    uint64_t sites = poke_counters()->sites;
    struct registers plain = { .flags = 0x202, .above = 0xabcdef }, traced;
    uint64_t *regs = &plain.rax;

    for (unsigned i = 0; i < 15; i++)
        regs[i] = 0x1111111100000000ull * (i + 1) + 0x1000 * i;
    traced = plain;
    state_call((void *)users_traced_3, &plain, 0);

    counted = 0;
    EXPECT_EQ(ftrace_set_filter("users_*", &clobberer), POKE_OK);
    state_call((void *)users_traced_3, &traced, 0);
    traced.flags = plain.flags; /* a call keeps none */
    EXPECT_EQ(memcmp(&plain, &traced, sizeof plain), 0);
    EXPECT_EQ(counted, 1);
    EXPECT_EQ(users_many_arguments(1, 2, 3, 4, 5, 6, 7, 8), 87654321);
    EXPECT_EQ(users_sum(7, 1l, 20l, 300l, 4000l, 50000l, 600000l, 7000000l), 7654321);
    EXPECT_EQ(counted, 3);
    EXPECT_EQ(ftrace_set_filter("*", NULL), POKE_OK);
    saw(SEE_PATCHES, poke_counters()->sites - sites);
}

TEST_BARE("text of its own that can be patched", users, ftrace_refused,
          "a tracer does not trace itself; what cannot be traced is refused, with nothing changed",
          .budget_ms = 50, .must_see = { { SEE_PATCHES, 2 } })
{
    uint64_t sites = poke_counters()->sites, recursions = ftrace_recursions();
    uint8_t *function = (uint8_t *)users_traced_1;
    struct tracer far = { .callback = count, .entry = (void (*)(void))(1ull << 40) };

    counted = 0;
    EXPECT_EQ(ftrace_set_filter("users_traced_1", &recursive), POKE_OK);
    EXPECT_EQ(call_traced(1, 7), 57);
    EXPECT_EQ(counted, 1);
    EXPECT_EQ(ftrace_recursions() - recursions, 1);
    EXPECT_EQ(ftrace_set_filter("users_traced_1", NULL), POKE_OK);
    saw(SEE_PATCHES, poke_counters()->sites - sites);

    EXPECT_EQ(ftrace_set_filter("users_no_such_function", &counter), POKE_E_ADDRESS);
    EXPECT_EQ(ftrace_set_function(function + 1, &counter), POKE_E_ADDRESS);
    EXPECT_EQ(ftrace_set_function((const void *)smp_text_poke_int3_handler, &counter),
              POKE_E_ADDRESS);
    EXPECT_EQ(ftrace_set_filter("users_traced_?", &far), POKE_E_DISPLACEMENT);
    text_mutex_lock();
    EXPECT_EQ(ftrace_set_filter("users_traced_?", &counter), POKE_E_LOCK);
    /* Somebody else's: what a probe would leave. */
    EXPECT_EQ(smp_text_poke_single(function, poke_nop5, 5, NULL), POKE_OK);
    EXPECT_EQ(text_poke(function + 4, "\1", 1), POKE_OK);
    text_mutex_unlock();
    EXPECT_EQ(ftrace_set_filter("users_traced_?", &counter), POKE_E_EXPECTED);
    EXPECT_EQ(ftrace_functions_of(NULL), ftrace_functions());
    text_mutex_lock();
    EXPECT_EQ(text_poke(function + 4, "\0", 1), POKE_OK);
    text_mutex_unlock();
    smp_text_poke_sync_each_cpu();
    EXPECT_EQ(ftrace_functions_of(NULL), ftrace_functions());
    for (uint32_t i = 0; i < ftrace_functions(); i++)
        if (!machine_is_patchable(ftrace_function(i), CALL_INSN_SIZE))
            FAIL("0x%llx cannot be patched", (unsigned long long)ftrace_function(i));
}

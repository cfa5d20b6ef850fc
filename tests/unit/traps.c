/* SPDX-License-Identifier: MIT */
/* Exceptions: each is decoded, none is lost, and recovery gives back what it promises. */
#include "kernel/cpu/regs.h"
#include "kernel/lib/string.h"
#include "kernel/trap/trap.h"
#include "tests/harness/test.h"

static void divide_by_zero(__attribute__((unused)) void *arg)
{
    __asm__ volatile("xor %%edx, %%edx; mov $1, %%eax; xor %%ecx, %%ecx; div %%ecx" ::
                         : "eax", "ecx", "edx", "cc");
}

static void undefined_opcode(__attribute__((unused)) void *arg)
{
    __asm__ volatile("ud2");
}

static void breakpoint(__attribute__((unused)) void *arg)
{
    __asm__ volatile("int3");
}

static void not_canonical(__attribute__((unused)) void *arg)
{
    (void)*(volatile uint8_t *)0x8000000000000000ull;
}

static void not_present(__attribute__((unused)) void *arg)
{
    (void)*(volatile uint8_t *)0x123456789000ull;
}

/* A jump to nowhere: RIP itself is the wrong address. */
static void wild_jump(__attribute__((unused)) void *arg)
{
    ((void (*)(void))0x123456789000ull)();
}

static void stack_gone(__attribute__((unused)) void *arg)
{
    __asm__ volatile("lea 0x4000(%%rsp), %%rbx; mov $1, %%ebp; ud2" ::: "rbx");
}

static const struct {
    void (*provoke)(void *arg);
    unsigned vector;
    uint64_t cr2;
} exceptions[] = {
    { divide_by_zero, TRAP_DE, 0 },
    { undefined_opcode, TRAP_UD, 0 },
    { breakpoint, TRAP_BP, 0 },
    { not_canonical, TRAP_GP, 0 },
    { not_present, TRAP_PF, 0x123456789000 },
    { wild_jump, TRAP_PF, 0x123456789000 },
    { stack_gone, TRAP_UD, 0 },
};

TEST(unit, traps_decoded, "each provoked exception is caught with its vector and its address",
     .must_see = { { SEE_TRAPS, 7 } })
{
    for (unsigned i = 0; i < sizeof exceptions / sizeof exceptions[0]; i++) {
        struct trap_caught caught = { 0 };

        EXPECT(!trap_try(exceptions[i].provoke, NULL, &caught));
        EXPECT_EQ(caught.vector, exceptions[i].vector);
        EXPECT_EQ(caught.cr2, exceptions[i].cr2);
        EXPECT_EQ(trap_depth(), 0);
        saw(SEE_TRAPS, 1);
    }
}

TEST(unit, traps_described, "the one-line description names the exception and its error code")
{
    struct trap_frame frame = { .vector = TRAP_GP, .error = 0x10, .rip = 0x1234 };
    char text[160];

    trap_describe(&frame, text, sizeof text);
    EXPECT(strncmp(text, "#GP[GDT entry 0x2] at 0x1234", 28) == 0);
    frame = (struct trap_frame){ .vector = TRAP_PF, .error = 2, .rip = 0x1234 };
    trap_describe(&frame, text, sizeof text);
    EXPECT(strncmp(text, "#PF[not present, write, supervisor] at 0x1234", 45) == 0);
}

/* ---- recovery ---- */

/* Destroys what a function must preserve, then faults. */
static void destroy_registers(__attribute__((unused)) void *arg)
{
    __asm__ volatile("xor %%ebx, %%ebx; xor %%r12d, %%r12d; xor %%r13d, %%r13d;"
                     "xor %%r14d, %%r14d; xor %%r15d, %%r15d; xor %%ebp, %%ebp; cli; std; ud2" ::
                         : "rbx", "r12", "r13", "r14", "r15", "memory");
}

TEST(unit, trap_try_restores, "recovery restores stack, callee-saved registers and flags",
     .must_see = { { SEE_TRAPS, 100 } })
{
    struct trap_caught caught;

    for (unsigned i = 0; i < 100; i++) {
        uint64_t rbx = 1, r12 = 2, r13 = 3, rsp_before, rsp_after;

        __asm__ volatile("mov %%rsp, %0" : "=r"(rsp_before));
        __asm__ volatile("" : "+b"(rbx));
        register uint64_t in_r12 __asm__("r12") = r12;
        register uint64_t in_r13 __asm__("r13") = r13;
        __asm__ volatile("" : "+r"(in_r12), "+r"(in_r13));
        EXPECT(!trap_try(destroy_registers, NULL, &caught));
        __asm__ volatile("" : "+r"(in_r12), "+r"(in_r13), "+b"(rbx));
        __asm__ volatile("mov %%rsp, %0" : "=r"(rsp_after));
        EXPECT_EQ(rbx, 1);
        EXPECT_EQ(in_r12, 2);
        EXPECT_EQ(in_r13, 3);
        EXPECT_EQ(rsp_after, rsp_before);
        EXPECT(read_rflags() & RFLAGS_IF);
        EXPECT_EQ(read_rflags() & 0x400, 0); /* DF */
        saw(SEE_TRAPS, 1);
    }
}

static void catch_inside(void *arg)
{
    struct trap_caught inner;

    *(bool *)arg = !trap_try(undefined_opcode, NULL, &inner) && inner.vector == TRAP_UD;
    divide_by_zero(NULL);
}

TEST(unit, trap_try_nests, "an inner recovery ends there, an outer one takes what comes after",
     .must_see = { { SEE_TRAPS, 2 } })
{
    struct trap_caught outer = { 0 };
    bool inner_caught = false;

    EXPECT(!trap_try(catch_inside, &inner_caught, &outer));
    EXPECT(inner_caught);
    EXPECT_EQ(outer.vector, TRAP_DE);
    saw(SEE_TRAPS, 2);
}

static void set_true(void *arg)
{
    *(bool *)arg = true;
}

TEST(unit, trap_try_returns, "a function without a fault returns true")
{
    struct trap_caught caught;
    bool ran = false;

    EXPECT(trap_try(set_true, &ran, &caught));
    EXPECT(ran);
}

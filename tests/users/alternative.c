/* SPDX-License-Identifier: MIT */
/* Alternatives, as they were decided at boot. */
#include "poke/users/alternative.h"

#include "kernel/cpu/regs.h"
#include "tests/harness/test.h"

#define NOINLINE __attribute__((noinline, noclone))

/* SSE2 (leaf 1, EDX, bit 26), which every x86-64 processor has; a bit that is reserved as 0. */
#define ALWAYS "0x100031a"
#define NEVER  "0x100030a"
_Static_assert(ALTERNATIVE_FEATURE(1, 3, 26) == 0x100031a, "ALWAYS");
_Static_assert(ALTERNATIVE_FEATURE(1, 3, 10) == 0x100030a, "NEVER");

NOINLINE static unsigned replaced(void)
{
    unsigned answer;

    __asm__(ALTERNATIVE("mov $1, %0", "mov $2, %0", ALWAYS) : "=r"(answer));
    return answer;
}

NOINLINE static unsigned kept(void)
{
    unsigned answer;

    __asm__(ALTERNATIVE("mov $1, %0", "mov $2, %0", NEVER) : "=r"(answer));
    return answer;
}

/* The shorter one is followed by NOPs. */
NOINLINE static unsigned shorter(void)
{
    unsigned answer = 1;

    __asm__(ALTERNATIVE("add $0x12345, %0; add $1, %0", "inc %0", ALWAYS) : "+r"(answer));
    return answer;
}

TEST_BARE("text of its own that can be patched", users, alternatives,
          "code was replaced at boot where the processor has the feature, and nowhere else",
          .budget_ms = 50)
{
    EXPECT(cpuid(1, 0).edx & 1u << 26);
    EXPECT(!(cpuid(1, 0).edx & 1u << 10));
    EXPECT_EQ(replaced(), 2);
    EXPECT_EQ(kept(), 1);
    EXPECT_EQ(shorter(), 2);
}

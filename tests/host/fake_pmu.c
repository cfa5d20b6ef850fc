/* SPDX-License-Identifier: MIT */
#include "tests/host/fake_pmu.h"

#include "kernel/trap/trap.h"
#include "tests/host/host_test.h"

#define SELECT_KERNEL (1ull << 17)
#define SELECT_ENABLE (1ull << 22)

struct fake_core fake_core;

static sigjmp_buf *recovery; /* of the innermost trap_try() */

/* ---- CPUID ---- */

struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid id = { 0 };

    (void)subleaf;
    if (leaf == 0) {
        id.eax = 0x1f;
        memcpy(&id.ebx, fake_core.vendor, 4);
        memcpy(&id.edx, fake_core.vendor + 4, 4);
        memcpy(&id.ecx, fake_core.vendor + 8, 4);
    } else if (leaf == 1) {
        id.eax = fake_core.leaf_1_eax;
    } else if (leaf == 0xa) {
        id = fake_core.leaf_a;
    } else if (leaf == 0x1a) {
        id.eax = fake_core.leaf_1a_eax;
    } else if (leaf == 0x80000001) {
        id.ecx = fake_core.leaf_80000001_ecx;
    }
    return id;
}

struct cpuid cpuid_basic(uint32_t leaf, uint32_t subleaf)
{
    return cpuid(leaf, subleaf);
}

struct cpuid cpuid_extended(uint32_t leaf)
{
    return cpuid(leaf, 0);
}

/* ---- model-specific registers ---- */

bool trap_try(void (*fn)(void *arg), void *arg, struct trap_caught *caught)
{
    sigjmp_buf here, *outer = recovery;
    bool faulted = sigsetjmp(here, 0) != 0;

    if (!faulted) {
        recovery = &here;
        fn(arg);
    }
    recovery = outer;
    if (faulted)
        *caught = (struct trap_caught){ .vector = TRAP_GP };
    return !faulted;
}

static void access(void)
{
    assert_non_null(recovery); /* a fault here would be a panic */
    fake_core.accesses++;
    if (fake_core.refused && fake_core.accesses >= fake_core.refused)
        siglongjmp(*recovery, 1);
}

/* The number of the register in one of the two files, or FAKE_COUNTERS. */
static unsigned index_of(uint32_t msr, uint32_t first)
{
    bool inside = msr >= first && (msr - first) % fake_core.step == 0 &&
                  (msr - first) / fake_core.step < fake_core.counters;

    return inside ? (msr - first) / fake_core.step : FAKE_COUNTERS;
}

uint64_t rdmsr(uint32_t msr)
{
    unsigned select = index_of(msr, fake_core.select), counter = index_of(msr, fake_core.counter);

    access();
    if (fake_core.global && msr == fake_core.global)
        return fake_core.enabled;
    if (select < FAKE_COUNTERS)
        return fake_core.selects[select];
    if (counter == FAKE_COUNTERS)
        siglongjmp(*recovery, 1); /* there is no such register */
    if (fake_core.runs)
        fake_core.values[counter] += 123456;
    return fake_core.values[counter] & UINT64_MAX >> (64 - fake_core.width);
}

void wrmsr(uint32_t msr, uint64_t value)
{
    unsigned select = index_of(msr, fake_core.select);

    access();
    if (fake_core.global && msr == fake_core.global)
        fake_core.enabled = value;
    else if (select < FAKE_COUNTERS)
        fake_core.selects[select] = value;
    else
        siglongjmp(*recovery, 1);
}

static bool is_on(unsigned i)
{
    uint64_t both = SELECT_ENABLE | SELECT_KERNEL;

    return (fake_core.selects[i] & both) == both &&
           (!fake_core.global || fake_core.enabled >> i & 1) && !fake_core.stands_still;
}

void fake_retire(void)
{
    for (unsigned i = 0; i < fake_core.counters; i++) {
        bool instructions = (fake_core.selects[i] & 0xffff) == 0xc0;

        if (is_on(i))
            fake_core.values[i] += instructions ? FAKE_INSTRUCTIONS : FAKE_EVENTS;
    }
}

/* SPDX-License-Identifier: MIT */
/* Which instructions this core has, and the vector state that some of them need. */
#include "kernel/cpu/regs.h"
#include "tests/errata/store.h"

#define CR0_MP         (1ull << 1)
#define CR0_EM         (1ull << 2)
#define CR0_TS         (1ull << 3)
#define CR4_OSFXSR     (1ull << 9)
#define CR4_OSXMMEXCPT (1ull << 10)
#define CR4_OSXSAVE    (1ull << 18)

/* XCR0, SDM vol 1, 13.3: x87, SSE and AVX state; then the three parts of AVX-512. */
#define XCR0_SSE    0x03u
#define XCR0_AVX    0x07u
#define XCR0_AVX512 0xe7u

/* CPUID.1:ECX */
#define CPUID1_CMPXCHG16B (1u << 13)
#define CPUID1_XSAVE      (1u << 26)
#define CPUID1_AVX        (1u << 28)
/* CPUID.7.0 */
#define CPUID7_EBX_AVX512F   (1u << 16)
#define CPUID7_ECX_MOVDIRI   (1u << 27)
#define CPUID7_ECX_MOVDIR64B (1u << 28)

static uint64_t read_xcr0(void)
{
    uint32_t lo, hi;

    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return (uint64_t)hi << 32 | lo;
}

/* The state components that the processor has and that can be on here. */
static uint64_t possible_xcr0(void)
{
#ifdef CROSSMOD_HOSTED
    return cpuid(1, 0).ecx & 1u << 27 ? read_xcr0() : 0; /* OSXSAVE: what the system has enabled */
#else
    return cpuid(1, 0).ecx & CPUID1_XSAVE ? cpuid_basic(0xd, 0).eax : 0;
#endif
}

static bool has_state(uint32_t components)
{
    return (possible_xcr0() & components) == components;
}

bool store_available(const struct store_kind *kind)
{
    switch (kind->needs) {
    case STORE_NEEDS_NOTHING:
    case STORE_NEEDS_SSE:
        return true;
    case STORE_NEEDS_CMPXCHG16B:
        return cpuid(1, 0).ecx & CPUID1_CMPXCHG16B;
    case STORE_NEEDS_AVX:
        return cpuid(1, 0).ecx & CPUID1_AVX && has_state(XCR0_AVX);
    case STORE_NEEDS_AVX512:
        return cpuid_basic(7, 0).ebx & CPUID7_EBX_AVX512F && has_state(XCR0_AVX512);
    case STORE_NEEDS_MOVDIRI:
        return cpuid_basic(7, 0).ecx & CPUID7_ECX_MOVDIRI;
    case STORE_NEEDS_MOVDIR64B:
        return cpuid_basic(7, 0).ecx & CPUID7_ECX_MOVDIR64B;
    }
    return false;
}

#ifdef CROSSMOD_HOSTED

void store_vectors_begin(struct store_vectors *saved, const struct store_kind *kind)
{
    (void)kind;
    *saved = (struct store_vectors){ .changed = false };
}

void store_vectors_end(const struct store_vectors *saved)
{
    (void)saved;
}

#else

static void write_xcr0(uint64_t value)
{
    __asm__ volatile("xsetbv" ::"c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}

/* 64 bytes are read with the widest loads, whatever stored them. */
static uint64_t wanted_xcr0(const struct store_kind *kind)
{
    if (kind->needs == STORE_NEEDS_AVX512 || (kind->bytes == 64 && has_state(XCR0_AVX512)))
        return XCR0_AVX512;
    return kind->needs == STORE_NEEDS_AVX ? XCR0_AVX : XCR0_SSE;
}

void store_vectors_begin(struct store_vectors *saved, const struct store_kind *kind)
{
    uint64_t xcr0 = wanted_xcr0(kind);

    *saved = (struct store_vectors){ .cr0 = read_cr0(), .cr4 = read_cr4(), .changed = true };
    write_cr0((saved->cr0 & ~(CR0_EM | CR0_TS)) | CR0_MP);
    write_cr4(saved->cr4 | CR4_OSFXSR | CR4_OSXMMEXCPT | (xcr0 != XCR0_SSE ? CR4_OSXSAVE : 0));
    if (xcr0 == XCR0_SSE)
        return;
    saved->xcr0 = read_xcr0();
    saved->has_xcr0 = true;
    write_xcr0(saved->xcr0 | xcr0);
}

void store_vectors_end(const struct store_vectors *saved)
{
    if (saved->has_xcr0)
        write_xcr0(saved->xcr0);
    write_cr4(saved->cr4);
    write_cr0(saved->cr0);
}

#endif

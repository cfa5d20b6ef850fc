/* SPDX-License-Identifier: MIT */
#include "smp/topology_decode.h"

#define LEVEL_INVALID 0
#define LEVEL_THREAD  1 /* threads of one core; all higher types are groups of cores */

/* The low `bits` bits; all of them from 32 on. */
static uint32_t low_bits(uint32_t value, unsigned bits)
{
    return bits >= 32 ? value : value & ((1u << bits) - 1);
}

static uint32_t shift_right(uint32_t value, unsigned bits)
{
    return bits >= 32 ? 0 : value >> bits;
}

/* Bits that hold `n` different values. */
static unsigned bits_for(uint32_t n)
{
    unsigned bits = 0;

    while (bits < 32 && ((uint64_t)1 << bits) < n)
        bits++;
    return bits;
}

static struct topology_ids split(uint32_t apic_id, unsigned thread_bits, unsigned package_shift)
{
    return (struct topology_ids){
        .package = shift_right(apic_id, package_shift),
        .core = shift_right(low_bits(apic_id, package_shift), thread_bits),
        .thread = low_bits(apic_id, thread_bits),
    };
}

bool topology_decode(uint32_t apic_id, const struct topology_level *levels, unsigned count,
                     struct topology_ids *out)
{
    unsigned thread_bits = 0, package_shift = 0, valid = 0;

    for (; valid < count; valid++) {
        unsigned type = levels[valid].ecx >> 8 & 0xff;
        unsigned shift = levels[valid].eax & 0x1f;

        if (type == LEVEL_INVALID || (levels[valid].ebx & 0xffff) == 0)
            break;
        if (type == LEVEL_THREAD)
            thread_bits = shift;
        if (shift > package_shift)
            package_shift = shift; /* the outermost level's: what is above numbers packages */
    }
    if (valid == 0)
        return false;
    *out = split(apic_id, thread_bits, package_shift);
    return true;
}

void topology_decode_legacy(uint32_t apic_id, uint32_t threads, uint32_t cores,
                            struct topology_ids *out)
{
    unsigned package_shift = bits_for(threads);
    unsigned core_bits = bits_for(cores);

    *out = split(apic_id, core_bits < package_shift ? package_shift - core_bits : 0, package_shift);
}

void topology_decode_amd(uint32_t apic_id, uint32_t core_id_bits, uint32_t cores, uint32_t threads,
                         struct topology_ids *out)
{
    unsigned package_shift = core_id_bits ? core_id_bits : bits_for(cores);
    unsigned thread_bits = bits_for(threads);

    *out = split(apic_id, thread_bits < package_shift ? thread_bits : package_shift, package_shift);
}

/* ---- hybrid processors ---- */

#define LEAF_7_EDX_HYBRID (1u << 15)
#define INTEL_ATOM        0x20 /* CPUID.1A:EAX[31:24] */
#define INTEL_CORE        0x40

#define AMD_HETEROGENEOUS (1u << 30)
#define AMD_PERFORMANCE   0 /* CPUID.80000026:EBX[31:28] */
#define AMD_EFFICIENT     1

enum core_kind core_kind_intel(uint32_t leaf_7_edx, uint32_t leaf_1a_eax)
{
    if (!(leaf_7_edx & LEAF_7_EDX_HYBRID))
        return CORE_UNIFORM;
    switch (leaf_1a_eax >> 24) {
    case INTEL_CORE:
        return CORE_PERFORMANCE;
    case INTEL_ATOM:
        return CORE_EFFICIENT;
    default:
        return CORE_UNIFORM;
    }
}

enum core_kind core_kind_amd(uint32_t leaf_80000026_eax, uint32_t leaf_80000026_ebx)
{
    if (!(leaf_80000026_eax & AMD_HETEROGENEOUS))
        return CORE_UNIFORM;
    switch (leaf_80000026_ebx >> 28) {
    case AMD_PERFORMANCE:
        return CORE_PERFORMANCE;
    case AMD_EFFICIENT:
        return CORE_EFFICIENT;
    default:
        return CORE_UNIFORM;
    }
}

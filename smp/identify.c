/* SPDX-License-Identifier: MIT */
/*
 * Which package, core and thread this core is, of which kind, and what it can do, by its own CPUID:
 * on hybrid parts they differ.
 */
#include "smp/internal.h"

#include "kernel/cpu/regs.h"
#include "smp/topology_decode.h"

#define LEAF_CACHES      0x4
#define LEAF_TOPOLOGY    0xb
#define LEAF_HYBRID      0x1a
#define LEAF_TOPOLOGY_V2 0x1f
#define LEAF_EXT         0x80000001
#define LEAF_SIZES       0x80000008
#define LEAF_AMD_CORE    0x8000001e
#define LEAF_AMD_LEVELS  0x80000026

#define LEVELS_MAX 8 /* thread, core, module, tile, die, die group: six are defined */

#define EXT_ECX_TOPOLOGY (1u << 22) /* LEAF_AMD_CORE exists */

static bool from_leaf(uint32_t leaf, uint32_t apic_id, struct topology_ids *ids)
{
    struct topology_level levels[LEVELS_MAX];

    for (unsigned i = 0; i < LEVELS_MAX; i++) {
        struct cpuid r = cpuid_basic(leaf, i);
        levels[i] = (struct topology_level){ r.eax, r.ebx, r.ecx };
    }
    return topology_decode(apic_id, levels, LEVELS_MAX, ids);
}

/* Leaf 4 is Intel's: AMD's without leaf 0xB say it elsewhere. */
static bool from_amd_leaves(uint32_t apic_id, struct topology_ids *ids)
{
    uint32_t sizes = cpuid_extended(LEAF_SIZES).ecx;
    bool has_threads = cpuid_extended(LEAF_EXT).ecx & EXT_ECX_TOPOLOGY;
    uint32_t threads = has_threads ? (cpuid_extended(LEAF_AMD_CORE).ebx >> 8 & 0xff) + 1 : 1;

    if (cpuid_basic(LEAF_CACHES, 0).eax & 0x1f)
        return false;
    topology_decode_amd(apic_id, sizes >> 12 & 0xf, (sizes & 0xff) + 1, threads, ids);
    return true;
}

static void from_legacy_leaves(uint32_t apic_id, struct topology_ids *ids)
{
    struct cpuid features = cpuid(1, 0);
    bool has_threads = features.edx >> 28 & 1;
    uint32_t threads = has_threads ? features.ebx >> 16 & 0xff : 1;

    topology_decode_legacy(apic_id, threads, (cpuid_basic(LEAF_CACHES, 0).eax >> 26) + 1, ids);
}

static enum core_kind kind_here(void)
{
    enum core_kind kind = core_kind_intel(cpuid_basic(7, 0).edx, cpuid_basic(LEAF_HYBRID, 0).eax);
    struct cpuid cores = cpuid_extended(LEAF_AMD_LEVELS); /* subleaf 0 */

    return kind ? kind : core_kind_amd(cores.eax, cores.ebx);
}

static void read_features(struct core_features *f)
{
    struct cpuid one = cpuid(1, 0), seven = cpuid_basic(7, 0);

    *f = (struct core_features){ .one_ecx = one.ecx,
                                 .one_edx = one.edx,
                                 .seven_ebx = seven.ebx,
                                 .seven_ecx = seven.ecx,
                                 .seven_edx = seven.edx,
                                 .ext_edx = cpuid_extended(LEAF_EXT).edx };
}

void identify_core(struct percpu *cpu)
{
    struct topology_ids ids;

    if (!from_leaf(LEAF_TOPOLOGY_V2, cpu->apic_id, &ids) &&
        !from_leaf(LEAF_TOPOLOGY, cpu->apic_id, &ids) && !from_amd_leaves(cpu->apic_id, &ids))
        from_legacy_leaves(cpu->apic_id, &ids);
    cpu->package = ids.package;
    cpu->core = ids.core;
    cpu->thread = ids.thread;
    cpu->kind = kind_here();
    read_features(&cpu->features);
}

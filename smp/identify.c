/* SPDX-License-Identifier: MIT */
/* Which package, core and thread this core is, by its own CPUID: on hybrid parts they differ. */
#include "smp/internal.h"

#include "kernel/cpu/regs.h"
#include "smp/topology_decode.h"

#define LEAF_TOPOLOGY    0xb
#define LEAF_TOPOLOGY_V2 0x1f
#define LEVELS_MAX       8 /* thread, core, module, tile, die, die group: six are defined */

static bool from_leaf(uint32_t leaf, uint32_t apic_id, struct topology_ids *ids)
{
    struct topology_level levels[LEVELS_MAX];

    for (unsigned i = 0; i < LEVELS_MAX; i++) {
        struct cpuid r = cpuid_basic(leaf, i);
        levels[i] = (struct topology_level){ r.eax, r.ebx, r.ecx };
    }
    return topology_decode(apic_id, levels, LEVELS_MAX, ids);
}

void identify_core(struct percpu *cpu)
{
    struct topology_ids ids;

    if (!from_leaf(LEAF_TOPOLOGY_V2, cpu->apic_id, &ids) &&
        !from_leaf(LEAF_TOPOLOGY, cpu->apic_id, &ids)) {
        struct cpuid features = cpuid(1, 0);
        bool has_threads = features.edx >> 28 & 1;
        uint32_t threads = has_threads ? features.ebx >> 16 & 0xff : 1;

        topology_decode_legacy(cpu->apic_id, threads, (cpuid_basic(4, 0).eax >> 26) + 1, &ids);
    }
    cpu->package = ids.package;
    cpu->core = ids.core;
    cpu->thread = ids.thread;
}

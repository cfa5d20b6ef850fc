/* SPDX-License-Identifier: MIT */
#include "kernel/cpu/pmu_events.h"

#include <stddef.h>

#define IA32_PMC0             0xc1
#define IA32_PERFEVTSEL0      0x186
#define IA32_PERF_GLOBAL_CTRL 0x38f
#define AMD_PERF_CTL0         0xc0010200 /* and PERF_CTR0 behind it, then the next pair */
#define AMD_PERF_CTR0         0xc0010201
#define AMD_COUNTERS          6
#define AMD_WIDTH             48

#define LOOPS 10000u

const struct pmu_event pmu_instructions = { "instructions retired", 0xc0, 0 };

struct pmu_cpuid pmu_cpuid(void)
{
    struct pmu_cpuid id = { .signature = cpu_signature(),
                            .leaf_a = cpuid_basic(0xa, 0),
                            .leaf_1a = cpuid_basic(0x1a, 0),
                            .leaf_80000001 = cpuid_extended(0x80000001) };

    cpu_vendor(id.vendor);
    return id;
}

static bool is_intel(const struct pmu_cpuid *id)
{
    return strcmp(id->vendor, "GenuineIntel") == 0;
}

static bool is_amd(const struct pmu_cpuid *id)
{
    return strcmp(id->vendor, "AuthenticAMD") == 0;
}

/* ---- counters ---- */

static uint64_t mask_of(unsigned width)
{
    return UINT64_MAX >> (64 - width);
}

/* SDM vol 3B, "Architectural Performance Monitoring"; vol 2A, CPUID leaf 0AH. */
static const char *find_intel(const struct cpuid *leaf, struct pmu_layout *layout)
{
    unsigned version = leaf->eax & 0xff, counters = leaf->eax >> 8 & 0xff;
    unsigned width = leaf->eax >> 16 & 0xff, events = leaf->eax >> 24;

    if (version == 0 || counters == 0)
        return "the processor has no performance counters (CPUID leaf 0AH)";
    /* 64 enable bits in the global register; its fixed counters begin at bit 32. */
    if (counters > 32 || width < 32 || width > 64)
        return "CPUID leaf 0AH contradicts itself";
    if (events < 2 || leaf->ebx & 1 << 1)
        return "the counters cannot count retired instructions: they cannot be checked";
    *layout = (struct pmu_layout){ .select = IA32_PERFEVTSEL0,
                                   .counter = IA32_PMC0,
                                   .step = 1,
                                   .global = version >= 2 ? IA32_PERF_GLOBAL_CTRL : 0,
                                   .counters = counters,
                                   .mask = mask_of(width) };
    return NULL;
}

/* APM vol 2, "Performance Monitoring Counters"; vol 3, Fn8000_0001_ECX[PerfCtrExtCore]. */
static const char *find_amd(const struct cpuid *leaf, struct pmu_layout *layout)
{
    if (!(leaf->ecx & 1 << 23))
        return "the processor has no extended performance counters (CPUID 80000001H, ECX bit 23)";
    *layout = (struct pmu_layout){ .select = AMD_PERF_CTL0,
                                   .counter = AMD_PERF_CTR0,
                                   .step = 2,
                                   .counters = AMD_COUNTERS,
                                   .mask = mask_of(AMD_WIDTH) };
    return NULL;
}

const char *pmu_find_counters(const struct pmu_cpuid *id, struct pmu_layout *layout)
{
    if (is_intel(id))
        return find_intel(&id->leaf_a, layout);
    if (is_amd(id))
        return find_amd(&id->leaf_80000001, layout);
    return "the performance counters of this vendor are not known";
}

/* ---- events ---- */

/* Intel's event lists, from Nehalem on. */
static const struct pmu_event core_events[PMU_EVENTS] = {
    { "MACHINE_CLEARS.SMC", 0xc3, 0x04 }, { "MACHINE_CLEARS.MEMORY_ORDERING", 0xc3, 0x02 }
};
static const struct pmu_event atom_events[PMU_EVENTS] = {
    { "MACHINE_CLEARS.SMC", 0xc3, 0x01 }, { "MACHINE_CLEARS.MEMORY_ORDERING", 0xc3, 0x02 }
};
/*
 * AMD's processor programming references: lines of the instruction cache that a probe invalidated
 * (a fill that replaces one is umask 1), and restarts because of a probe that hit the instructions
 * in execution.
 */
static const struct pmu_event zen_events[PMU_EVENTS] = { { "IC_CACHE_INVAL.L2_PROBE", 0x8c, 0x02 },
                                                         { "BP_SNP_RE_SYNC", 0x86, 0x00 } };

/*
 * Of family 6: Bonnell, Silvermont, Airmont, Knights, Goldmont, Tremont, and later E-cores alone.
 */
static bool is_atom(const struct pmu_cpuid *id)
{
    static const uint8_t models[] = { 0x1c, 0x26, 0x27, 0x35, 0x36, 0x37, 0x4a, 0x4c,
                                      0x4d, 0x57, 0x5a, 0x5c, 0x5d, 0x5f, 0x75, 0x7a,
                                      0x85, 0x86, 0x96, 0x9c, 0xaf, 0xb6, 0xbe, 0xdd };

    if (id->leaf_1a.eax >> 24 == 0x20) /* the core's type, in a hybrid processor */
        return true;
    for (unsigned i = 0; i < sizeof models; i++)
        if (id->signature.model == models[i])
            return true;
    return false;
}

static const struct pmu_event *find_intel_events(const struct pmu_cpuid *id)
{
    uint32_t model = id->signature.model;

    if (id->signature.family != 6 || model < 0x1a || model == 0x1d)
        return NULL; /* before Nehalem: Core 2's event C3H has other umasks */
    return is_atom(id) ? atom_events : core_events;
}

/* Zen to Zen 3; the references of Zen 4 and later do not have these events. */
static const struct pmu_event *find_amd_events(const struct pmu_cpuid *id)
{
    uint32_t model = id->signature.model;
    bool zen_3 = id->signature.family == 0x19 && (model < 0x10 || (model >= 0x20 && model < 0x60));

    return id->signature.family == 0x17 || zen_3 ? zen_events : NULL;
}

const struct pmu_event *pmu_find_events(const struct pmu_cpuid *id)
{
    if (is_intel(id))
        return find_intel_events(id);
    return is_amd(id) ? find_amd_events(id) : NULL;
}

/* ---- the self-check ---- */

bool pmu_is_counting(uint64_t idle, uint64_t busy)
{
    return idle < LOOPS / 2 && busy >= LOOPS; /* a pair that is fused may count as one */
}

void pmu_retire(void)
{
    uint32_t n = LOOPS;

    __asm__ volatile("1: sub $1, %0; jnz 1b" : "+r"(n)::"cc");
}

/* SPDX-License-Identifier: MIT */
#include "tests/errata/relation.h"

#include "kernel/cpu/regs.h"
#include "smp/smp.h"

#define LEAF_CACHES       4u
#define LEAF_CACHES_AMD   0x8000001du
#define LEAF_HYBRID       0x1au
#define HYBRID_TYPE_SHIFT 24
#define CACHES_MAX        16u

/* What one core says of itself. Written by it, read after the cross-call has returned. */
struct place {
    uint32_t package, core, l2, type;
};

/* Bits of an APIC id that cores with the same second-level cache may differ in. */
static unsigned l2_shift(void)
{
    bool amd = cpuid_extended(LEAF_CACHES_AMD).eax & 0x1f;

    for (unsigned i = 0; i < CACHES_MAX; i++) {
        struct cpuid cache = amd ? cpuid(LEAF_CACHES_AMD, i) : cpuid_basic(LEAF_CACHES, i);
        uint32_t type = cache.eax & 0x1f, level = cache.eax >> 5 & 7;
        uint32_t sharing = (cache.eax >> 14 & 0xfff) + 1;
        unsigned shift = 0;

        if (type == 0)
            break;
        if (level != 2)
            continue;
        while (1u << shift < sharing)
            shift++;
        return shift;
    }
    return 0;
}

static void describe(void *arg)
{
    const struct percpu *self = this_cpu();

    *(struct place *)arg =
        (struct place){ .package = self->package,
                        .core = self->core,
                        .l2 = self->apic_id >> l2_shift(),
                        .type = cpuid_basic(LEAF_HYBRID, 0).eax >> HYBRID_TYPE_SHIFT };
}

static bool same_core(const struct place *a, const struct place *b)
{
    return a->package == b->package && a->core == b->core;
}

static bool stands_in(enum relation relation, const struct place *writer,
                      const struct place *reader)
{
    switch (relation) {
    case RELATION_OTHER:
        return true;
    case RELATION_SMT:
        return same_core(writer, reader);
    case RELATION_CLUSTER:
        return writer->package == reader->package && writer->l2 != reader->l2;
    case RELATION_SHARED_L2:
        return writer->l2 == reader->l2 && !same_core(writer, reader);
    case RELATION_SOCKET:
        return writer->package != reader->package;
    case RELATION_TYPE:
        return writer->type != reader->type;
    case RELATION_COUNT:
        break;
    }
    return false;
}

int relation_find(unsigned writer, enum relation relation)
{
    struct place of_writer, of_reader;

    smp_call_one(writer, describe, &of_writer);
    for_each_online_cpu (i) {
        if ((unsigned)i == writer)
            continue;
        smp_call_one((unsigned)i, describe, &of_reader);
        if (stands_in(relation, &of_writer, &of_reader))
            return i;
    }
    return -1;
}

const char *relation_name(enum relation relation)
{
    static const char *const names[] = {
#define X(id, name) [RELATION_##id] = name,
        RELATIONS(X)
#undef X
    };

    return names[relation];
}

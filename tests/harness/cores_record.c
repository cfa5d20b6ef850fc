/* SPDX-License-Identifier: MIT */
#include "tests/harness/cores_record.h"

#include <stddef.h>

#include "smp/smp.h"
#include "smp/topology_decode.h"
#include "tests/harness/record.h"

/* ---- features ---- */

static const struct {
    const char *name;
    size_t word; /* offset in struct core_features */
    unsigned bit;
} features[] = {
    { "nx", offsetof(struct core_features, ext_edx), 20 },
    { "pge", offsetof(struct core_features, one_edx), 13 },
    { "pcid", offsetof(struct core_features, one_ecx), 17 },
    { "invpcid", offsetof(struct core_features, seven_ebx), 10 },
    { "smep", offsetof(struct core_features, seven_ebx), 7 },
    { "smap", offsetof(struct core_features, seven_ebx), 20 },
    { "umip", offsetof(struct core_features, seven_ecx), 2 },
    { "la57", offsetof(struct core_features, seven_ecx), 16 },
    { "rdtscp", offsetof(struct core_features, ext_edx), 27 },
    { "x2apic", offsetof(struct core_features, one_ecx), 21 },
    { "serialize", offsetof(struct core_features, seven_edx), 14 },
    { "hybrid", offsetof(struct core_features, seven_edx), 15 },
    { "cet_ss", offsetof(struct core_features, seven_ecx), 7 },
    { "cet_ibt", offsetof(struct core_features, seven_edx), 20 },
    { "mca", offsetof(struct core_features, one_edx), 14 },
};

/* How many online cores have feature `i`. */
static unsigned having(unsigned i)
{
    unsigned count = 0;

    for_each_online_cpu (core) {
        const char *words = (const char *)&percpu((unsigned)core)->features;

        count += *(const uint32_t *)(words + features[i].word) >> features[i].bit & 1;
    }
    return count;
}

static void add_features(struct json *j)
{
    json_array(j, "features");
    for (unsigned i = 0; i < sizeof features / sizeof features[0]; i++) {
        if (having(i) == smp_online())
            json_string(j, NULL, features[i].name);
    }
    json_array_end(j);
    json_array(j, "features_of_some");
    for (unsigned i = 0; i < sizeof features / sizeof features[0]; i++) {
        if (having(i) && having(i) != smp_online())
            json_string(j, NULL, features[i].name);
    }
    json_array_end(j);
}

/* ---- places ---- */

/* Is there no online core before `core` in the same package (and, if asked, of the same core)? */
static bool is_first(unsigned core, bool same_core)
{
    const struct percpu *a = percpu(core);

    for_each_online_cpu (i) {
        const struct percpu *b = percpu((unsigned)i);

        if ((unsigned)i == core)
            return true;
        if (a->package == b->package && (!same_core || a->core == b->core))
            return false;
    }
    return true;
}

static const char *kind_name(uint32_t kind)
{
    switch (kind) {
    case CORE_PERFORMANCE:
        return "performance";
    case CORE_EFFICIENT:
        return "efficient";
    default:
        return "uniform";
    }
}

void cores_add_summary(struct json *j)
{
    unsigned packages = 0, cores = 0, kinds[CORE_EFFICIENT + 1] = { 0 };

    for_each_online_cpu (i) {
        packages += is_first((unsigned)i, false);
        cores += is_first((unsigned)i, true);
        kinds[percpu((unsigned)i)->kind]++;
    }
    add_features(j);
    json_uint(j, "packages", packages);
    json_uint(j, "physical_cores", cores);
    json_bool(j, "smt", cores < smp_online());
    json_object(j, "kinds");
    for (uint32_t k = 0; k <= CORE_EFFICIENT; k++) {
        if (kinds[k])
            json_uint(j, kind_name(k), kinds[k]);
    }
    json_object_end(j);
}

void machine_record_cores(void)
{
    struct json *j = record_begin("cores");

    json_array(j, "cores");
    for_each_online_cpu (i) {
        const struct percpu *cpu = percpu((unsigned)i);

        json_object(j, NULL);
        json_uint(j, "core", (unsigned)i);
        json_uint(j, "apic_id", cpu->apic_id);
        json_uint(j, "package", cpu->package);
        json_uint(j, "in_package", cpu->core);
        json_uint(j, "thread", cpu->thread);
        json_string(j, "kind", kind_name(cpu->kind));
        json_object_end(j);
    }
    json_array_end(j);
    record_end();
}

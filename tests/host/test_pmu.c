/* SPDX-License-Identifier: MIT */
/* The counters of a core (kernel/cpu/pmu.c), with the registers of a simulated one. */
#include "tests/host/host_test.h"

#include "kernel/cpu/pmu.h"
#include "tests/host/fake_pmu.h"

#define SKYLAKE_SERVER  0x00050654
#define ICE_LAKE_SERVER 0x000606a6
#define CORE_2          0x000006f6
#define GOLDMONT        0x000506c9
#define ZEN_2           0x00830f10
#define ZEN_3           0x00a20f12
#define ZEN_4           0x00a60f12
#define EXT_CORE        (1u << 23)
#define FIRMWARES       0x4300c0ull /* an enabled counter that is somebody else's */

/* Known instructions, on the simulated core. */
void __wrap_pmu_retire(void)
{
    fake_retire();
}

/* ---- the cores ---- */

/* The first general counter of Intel's, as the manual has them. */
static struct fake_core intel(uint32_t leaf_1, struct cpuid leaf_a)
{
    unsigned version = leaf_a.eax & 0xff;

    return (struct fake_core){ .vendor = "GenuineIntel",
                               .leaf_1_eax = leaf_1,
                               .leaf_a = leaf_a,
                               .select = 0x186,
                               .counter = 0xc1,
                               .step = 1,
                               .global = version >= 2 ? 0x38f : 0,
                               .counters = leaf_a.eax >> 8 & 0xff,
                               .width = leaf_a.eax >> 16 & 0xff };
}

static struct fake_core amd(uint32_t leaf_1, uint32_t ecx)
{
    return (struct fake_core){ .vendor = "AuthenticAMD",
                               .leaf_1_eax = leaf_1,
                               .leaf_80000001_ecx = ecx,
                               .select = 0xc0010200,
                               .counter = 0xc0010201,
                               .step = 2,
                               .counters = 6,
                               .width = 48 };
}

/* Recorded: a KVM guest, Haswell, Skylake. In the manual's format: versions 1 and 5. */
static const struct cpuid version_1 = { .eax = 0x07280201 };
static const struct cpuid version_2 = { .eax = 0x07300402, .edx = 0x603 };
static const struct cpuid version_3 = { .eax = 0x07300403, .edx = 0x603 };
static const struct cpuid version_4 = { .eax = 0x07300404, .edx = 0x603 };
static const struct cpuid version_5 = { .eax = 0x08300805, .edx = 0x8604 };

/* ---- what is counted ---- */

static void expect_counts(struct fake_core core, uint16_t first, uint16_t second)
{
    struct pmu pmu;

    fake_core = core;
    pmu_open(&pmu);
    assert_null(pmu.reason);
    assert_int_equal(pmu.count, PMU_EVENTS);
    assert_int_equal(fake_core.selects[pmu.handles[0]] & 0xffff, first);
    assert_int_equal(fake_core.selects[pmu.handles[1]] & 0xffff, second);
    pmu_retire();
    pmu_retire();
    pmu_read(&pmu);
    pmu_retire();
    pmu_read(&pmu);
    assert_int_equal(pmu.sum[0], 3 * FAKE_EVENTS);
    assert_int_equal(pmu.sum[1], 3 * FAKE_EVENTS);
    pmu_close(&pmu);
    assert_memory_equal(fake_core.selects, core.selects, sizeof core.selects);
    assert_int_equal(fake_core.enabled, core.enabled);
}

static void every_version_of_intel_counts(void **state)
{
    static const struct cpuid *const leaves[] = { &version_1, &version_2, &version_3, &version_4,
                                                  &version_5 };

    (void)state;
    for (unsigned i = 0; i < sizeof leaves / sizeof leaves[0]; i++) {
        expect_counts(intel(SKYLAKE_SERVER, *leaves[i]), 0x04c3, 0x02c3);
        expect_counts(intel(ICE_LAKE_SERVER, *leaves[i]), 0x04c3, 0x02c3);
        expect_counts(intel(GOLDMONT, *leaves[i]), 0x01c3, 0x02c3);
    }
}

static void an_efficient_core_of_a_hybrid_has_its_own_events(void **state)
{
    struct fake_core alder_lake = intel(0x00090672, version_5);

    (void)state;
    alder_lake.leaf_1a_eax = 0x40000001;
    expect_counts(alder_lake, 0x04c3, 0x02c3);
    alder_lake.leaf_1a_eax = 0x20000001;
    expect_counts(alder_lake, 0x01c3, 0x02c3);
}

static void zen_counts(void **state)
{
    (void)state;
    expect_counts(amd(ZEN_2, EXT_CORE), 0x028c, 0x0086);
    expect_counts(amd(ZEN_3, EXT_CORE), 0x028c, 0x0086);
}

static void a_counter_may_wrap(void **state)
{
    struct fake_core core = intel(SKYLAKE_SERVER, version_1); /* 40 bits */

    (void)state;
    core.values[0] = core.values[1] = (1ull << 40) - FAKE_INSTRUCTIONS - FAKE_EVENTS - 1;
    expect_counts(core, 0x04c3, 0x02c3);
}

static void what_others_use_is_left_alone(void **state)
{
    struct fake_core core = intel(SKYLAKE_SERVER, version_4);
    struct pmu pmu;

    (void)state;
    core.selects[0] = core.selects[2] = FIRMWARES;
    core.selects[1] = 0x1234; /* not enabled */
    core.enabled = 0x70000000full;
    expect_counts(core, 0x04c3, 0x02c3);

    core.selects[1] = FIRMWARES; /* one is left */
    fake_core = core;
    pmu_open(&pmu);
    assert_int_equal(pmu.count, 1);
    assert_int_equal(pmu.handles[0], 3);
    pmu_close(&pmu);
    assert_memory_equal(fake_core.selects, core.selects, sizeof core.selects);
}

/* ---- why nothing is ---- */

static void expect_reason(struct fake_core core, const char *reason)
{
    struct pmu pmu;

    fake_core = core;
    pmu_open(&pmu);
    assert_int_equal(pmu.count, 0);
    assert_non_null(strstr(pmu.reason, reason));
    pmu_read(&pmu);
    pmu_close(&pmu);
    assert_int_equal(pmu.sum[0], 0);
    assert_non_null(strstr(pmu.reason, reason));
    if (!core.refused)
        assert_memory_equal(fake_core.selects, core.selects, sizeof core.selects);
}

static void a_processor_without_counters_says_so(void **state)
{
    struct fake_core other = intel(SKYLAKE_SERVER, version_4);

    (void)state;
    expect_reason(intel(SKYLAKE_SERVER, (struct cpuid){ 0 }), "no performance counters");
    expect_reason(intel(SKYLAKE_SERVER, (struct cpuid){ .eax = 0x07300004 }), "no performance");
    expect_reason(amd(ZEN_2, ~EXT_CORE), "no extended performance counters");
    other.vendor = "HygonGenuine";
    expect_reason(other, "this vendor");
}

static void mutilated_leaves_are_refused(void **state)
{
    static const struct cpuid bad_size[] = {
        { .eax = 0x0730ff04 }, { .eax = 0x07302104 }, { .eax = 0x07000404 },
        { .eax = 0x07410404 }, { .eax = 0x07ff0404 }, { .eax = 0xffffffff },
    };
    static const struct cpuid no_check[] = { { .eax = 0x00300404 },
                                             { .eax = 0x01300404 },
                                             { .eax = 0x07300404, .ebx = 2 },
                                             { .eax = 0x07300404, .ebx = UINT32_MAX } };

    (void)state;
    for (unsigned i = 0; i < sizeof bad_size / sizeof bad_size[0]; i++)
        expect_reason(intel(SKYLAKE_SERVER, bad_size[i]), "contradicts itself");
    for (unsigned i = 0; i < sizeof no_check / sizeof no_check[0]; i++)
        expect_reason(intel(SKYLAKE_SERVER, no_check[i]), "cannot be checked");
}

static void numbers_of_other_models_are_not_used(void **state)
{
    (void)state;
    expect_reason(intel(CORE_2, version_2), PMU_NO_EVENTS);
    expect_reason(intel(0x00000f43, version_2), PMU_NO_EVENTS); /* family 15 */
    expect_reason(amd(ZEN_4, EXT_CORE), PMU_NO_EVENTS);
    expect_reason(amd(0x00600f20, EXT_CORE), PMU_NO_EVENTS); /* family 15h */
}

static void all_in_use(void **state)
{
    struct fake_core core = amd(ZEN_2, EXT_CORE);

    (void)state;
    for (unsigned i = 0; i < core.counters; i++)
        core.selects[i] = FIRMWARES;
    expect_reason(core, "in use");
}

static void a_counter_that_does_not_count_is_not_believed(void **state)
{
    struct fake_core core = intel(SKYLAKE_SERVER, version_4);

    (void)state;
    core.stands_still = true;
    expect_reason(core, PMU_NOT_COUNTING);
    core.stands_still = false;
    core.runs = true; /* whatever is executed */
    expect_reason(core, PMU_NOT_COUNTING);
}

/* A hypervisor may refuse any access; what was changed before is put back as far as it lets us. */
static void every_access_may_be_refused(void **state)
{
    struct fake_core core = intel(ICE_LAKE_SERVER, version_5);
    unsigned accesses;
    struct pmu pmu;

    (void)state;
    fake_core = core;
    pmu_open(&pmu);
    accesses = fake_core.accesses;
    pmu_read(&pmu);
    pmu_close(&pmu);
    assert_true(accesses > 10);
    for (core.refused = 1; core.refused <= accesses; core.refused++)
        expect_reason(core, "is refused");

    core.refused = accesses + 1;
    fake_core = core;
    pmu_open(&pmu);
    assert_int_equal(pmu.count, 2);
    pmu_read(&pmu);
    assert_int_equal(pmu.count, 0);
    assert_non_null(strstr(pmu.reason, "is refused"));
    pmu_close(&pmu);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_version_of_intel_counts),
        cmocka_unit_test(an_efficient_core_of_a_hybrid_has_its_own_events),
        cmocka_unit_test(zen_counts),
        cmocka_unit_test(a_counter_may_wrap),
        cmocka_unit_test(what_others_use_is_left_alone),
        cmocka_unit_test(a_processor_without_counters_says_so),
        cmocka_unit_test(mutilated_leaves_are_refused),
        cmocka_unit_test(numbers_of_other_models_are_not_used),
        cmocka_unit_test(all_in_use),
        cmocka_unit_test(a_counter_that_does_not_count_is_not_believed),
        cmocka_unit_test(every_access_may_be_refused),
    };

    return cmocka_run_group_tests_name("pmu", tests, NULL, NULL);
}

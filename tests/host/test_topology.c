/* SPDX-License-Identifier: MIT */
#include "tests/host/host_test.h"

#include "smp/topology_decode.h"

/*
 * A valid subleaf as CPUID gives it: shift to the next level, logical processors, type and number.
 */
#define LEVEL(number, type, shift)                                                                 \
    {                                                                                              \
        .eax = (shift), .ebx = 1, .ecx = (type) << 8 | (number)                                    \
    }
#define END_LEVEL(number)                                                                          \
    {                                                                                              \
        .ecx = (number)                                                                            \
    }

static void expect(uint32_t apic_id, const struct topology_level *levels, unsigned count,
                   struct topology_ids want)
{
    struct topology_ids got = { 99, 99, 99 };

    assert_true(topology_decode(apic_id, levels, count, &got));
    assert_int_equal(got.package, want.package);
    assert_int_equal(got.core, want.core);
    assert_int_equal(got.thread, want.thread);
}

static void two_levels(void **state)
{
    /* QEMU, -smp 8,sockets=2,cores=2,threads=2. */
    static const struct topology_level leaf_b[] = { LEVEL(0, 1, 1), LEVEL(1, 2, 2), END_LEVEL(2) };

    (void)state;
    for (uint32_t id = 0; id < 8; id++)
        expect(id, leaf_b, 3, (struct topology_ids){ id >> 2, id >> 1 & 1, id & 1 });
}

static void no_threads(void **state)
{
    static const struct topology_level leaf_b[] = { LEVEL(0, 1, 0), LEVEL(1, 2, 4), END_LEVEL(2) };

    (void)state;
    expect(0x13, leaf_b, 3, (struct topology_ids){ 1, 3, 0 });
}

static void levels_between_core_and_package_count_as_cores(void **state)
{
    /* Threads, cores, modules, dies: leaf 0x1F. */
    static const struct topology_level leaf_1f[] = { LEVEL(0, 1, 1), LEVEL(1, 2, 4), LEVEL(2, 3, 6),
                                                     LEVEL(3, 5, 8), END_LEVEL(4) };

    (void)state;
    expect(0x3a7, leaf_1f, 5, (struct topology_ids){ 3, 0xa7 >> 1, 1 });
    expect(0xffffffff, leaf_1f, 5, (struct topology_ids){ 0xffffff, 0x7f, 1 });
}

static void missing_leaf_is_refused(void **state)
{
    static const struct topology_level zeros[2] = { END_LEVEL(0), END_LEVEL(1) };
    /* A level type without processors is as invalid as none (some firmware). */
    static const struct topology_level empty[] = { { .eax = 1, .ebx = 0, .ecx = 0x100 } };
    struct topology_ids ids = { 7, 8, 9 };

    (void)state;
    assert_false(topology_decode(5, zeros, 2, &ids));
    assert_false(topology_decode(5, empty, 1, &ids));
    assert_false(topology_decode(5, zeros, 0, &ids));
    assert_int_equal(ids.package, 7);
    assert_int_equal(ids.core, 8);
    assert_int_equal(ids.thread, 9);
}

static void legacy(void **state)
{
    struct topology_ids ids;

    (void)state;
    topology_decode_legacy(0x0b, 8, 4, &ids); /* 2 threads a core, 4 cores */
    assert_int_equal(ids.package, 1);
    assert_int_equal(ids.core, 1);
    assert_int_equal(ids.thread, 1);
    topology_decode_legacy(5, 6, 6, &ids); /* 6 cores take 3 bits */
    assert_int_equal(ids.package, 0);
    assert_int_equal(ids.core, 5);
    assert_int_equal(ids.thread, 0);
    topology_decode_legacy(3, 1, 1, &ids); /* neither: each processor is a package */
    assert_int_equal(ids.package, 3);
    assert_int_equal(ids.core, 0);
    topology_decode_legacy(3, 0, 0, &ids);
    assert_int_equal(ids.package, 3);
    topology_decode_legacy(1, 2, 64, &ids); /* more cores than processors: no threads */
    assert_int_equal(ids.core, 1);
    assert_int_equal(ids.thread, 0);
}

/* Zen 1 has no leaf 0xB. As EPYC 7351: 32 threads, with gaps between their ids in 6 bits. */
static void amd_without_leaf_b(void **state)
{
    struct topology_ids ids;

    (void)state;
    topology_decode_amd(0x4b, 6, 32, 2, &ids);
    assert_int_equal(ids.package, 1);
    assert_int_equal(ids.core, 5);
    assert_int_equal(ids.thread, 1);
    topology_decode_amd(5, 0, 6, 1, &ids); /* Phenom II X6: no sizes, six cores take 3 bits */
    assert_int_equal(ids.package, 0);
    assert_int_equal(ids.core, 5);
    assert_int_equal(ids.thread, 0);
    topology_decode_amd(3, 0, 1, 1, &ids); /* nothing said: each processor is a package */
    assert_int_equal(ids.package, 3);
    topology_decode_amd(3, 1, 2, 4, &ids); /* more threads than ids: one core */
    assert_int_equal(ids.package, 1);
    assert_int_equal(ids.core, 0);
    assert_int_equal(ids.thread, 1);
}

/* ---- hybrid processors; written from the manuals, not recorded on machines ---- */

/*
 * As Alder Lake numbers its APIC ids: P-cores with two threads, 8 apart; E-cores in modules of
 * four, 2 apart. Both say the same of the fields, so an E-core is its id's even thread.
 */
static void hybrid_ids(void **state)
{
    static const struct topology_level p_core[] = { LEVEL(0, 1, 1), LEVEL(1, 2, 7), END_LEVEL(2) };
    static const struct topology_level e_core[] = { LEVEL(0, 1, 1), LEVEL(1, 2, 7), END_LEVEL(2) };

    (void)state;
    for (uint32_t core = 0; core < 8; core++) {
        expect(8 * core, p_core, 3, (struct topology_ids){ 0, 4 * core, 0 });
        expect(8 * core + 1, p_core, 3, (struct topology_ids){ 0, 4 * core, 1 });
    }
    for (uint32_t core = 0; core < 8; core++)
        expect(0x40 + 2 * core, e_core, 3, (struct topology_ids){ 0, 0x20 + core, 0 });
}

static void intel_kinds(void **state)
{
    (void)state;
    assert_int_equal(core_kind_intel(1u << 15, 0x40000001), CORE_PERFORMANCE);
    assert_int_equal(core_kind_intel(1u << 15, 0x20000001), CORE_EFFICIENT);
    assert_int_equal(core_kind_intel(0xffffffff, 0x40000000), CORE_PERFORMANCE);
    /* Not hybrid: the leaf may say a type all the same (Alder Lake-N, Xeon with E-cores off). */
    assert_int_equal(core_kind_intel(0xffff7fff, 0x20000001), CORE_UNIFORM);
    assert_int_equal(core_kind_intel(0, 0x40000001), CORE_UNIFORM);
    assert_int_equal(core_kind_intel(1u << 15, 0), CORE_UNIFORM); /* a hypervisor hides it */
    assert_int_equal(core_kind_intel(1u << 15, 0x30000001), CORE_UNIFORM); /* reserved */
}

static void amd_kinds(void **state)
{
    (void)state;
    assert_int_equal(core_kind_amd(1u << 30, 0x00000002), CORE_PERFORMANCE);
    assert_int_equal(core_kind_amd(1u << 30, 0x10000002), CORE_EFFICIENT);
    assert_int_equal(core_kind_amd(1u << 30, 0x20000002), CORE_UNIFORM);
    assert_int_equal(core_kind_amd(0, 0x10000002), CORE_UNIFORM);
}

/* Whatever CPUID says, the three fields are the APIC id cut in pieces, with nothing lost. */
static void fields_make_up_the_id(void **state)
{
    unsigned long rounds = fuzz_rounds("topology", 20000);
    struct prng random = { FUZZ_SEED };

    (void)state;
    for (unsigned long i = 0; i < rounds; i++) {
        struct topology_level levels[8];
        struct topology_ids ids;
        unsigned thread_bits = 0, package_shift = 0;
        uint32_t apic_id = (uint32_t)prng_next(&random);

        for (unsigned l = 0; l < 8; l++) {
            unsigned shift = prng_below(&random, 32), type = l == 0 ? 1 : 2 + l;
            levels[l] = (struct topology_level)LEVEL(l, type, shift);
            if (l == 0)
                thread_bits = shift;
            package_shift = shift > package_shift ? shift : package_shift;
        }
        assert_true(topology_decode(apic_id, levels, 8, &ids));
        uint64_t whole =
            (uint64_t)ids.package << package_shift | (uint64_t)ids.core << thread_bits | ids.thread;
        assert_int_equal(whole, apic_id);
        assert_true(ids.thread >> thread_bits == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_levels),
        cmocka_unit_test(no_threads),
        cmocka_unit_test(levels_between_core_and_package_count_as_cores),
        cmocka_unit_test(missing_leaf_is_refused),
        cmocka_unit_test(legacy),
        cmocka_unit_test(amd_without_leaf_b),
        cmocka_unit_test(hybrid_ids),
        cmocka_unit_test(intel_kinds),
        cmocka_unit_test(amd_kinds),
        cmocka_unit_test(fields_make_up_the_id),
    };

    return cmocka_run_group_tests_name("topology", tests, NULL, NULL);
}

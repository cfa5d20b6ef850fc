/* SPDX-License-Identifier: MIT */
/*
 * The trap side: what the handler claims at each point of a batch, and the table's life under it.
 */
#include "tests/host/host_test.h"

#include <pthread.h>
#include <stdatomic.h>

#include "poke/poke.h"
#include "tests/host/fake_machine.h"
#include "tests/lib/table_refs.h"

static int setup(void **state)
{
    (void)state;
    fake_reset(2048);
    text_mutex_lock();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FAKE_CORES; i++)
        assert_int_equal(table_refs(i), 0);
    text_mutex_unlock();
    return 0;
}

/* Hit an INT3 at a text offset on the current core. */
static bool hit(size_t offset, struct poke_regs *regs)
{
    *regs = (struct poke_regs){ .ip = (uintptr_t)fake_text + offset + 1, .sp = 0x1000 };
    return smp_text_poke_int3_handler(regs);
}

static void expect_foreign(size_t offset)
{
    struct poke_regs regs;

    assert_false(hit(offset, &regs));
    assert_int_equal(regs.ip, (uintptr_t)fake_text + offset + 1);
    assert_int_equal(regs.sp, 0x1000);
}

/* The sites of the stepped test: from the old image to a jump, one of them to INT3. */
#define SITES     5
#define INT3_SITE 3
static const size_t offsets[SITES] = { 0x10, 0x15, 0x1000 - 2, 0x1800, 0x2000 };
static unsigned hook_calls;

/* At every store and sync: each core's handler claims each site, and nothing beside it. */
static void hit_everything(void)
{
    unsigned me = fake_core;

    hook_calls++;
    for (fake_core = 0; fake_core < FAKE_CORES; fake_core++) {
        for (unsigned i = 0; i < SITES; i++) {
            struct poke_regs regs;

            if (i == INT3_SITE) {
                expect_foreign(offsets[i]);
                continue;
            }
            assert_true(hit(offsets[i], &regs));
            assert_int_equal(regs.ip, (uintptr_t)fake_text + offsets[i] + 5 + 0x100 * i);
            expect_foreign(offsets[i] + 1);
            expect_foreign(offsets[i] - 1);
        }
        expect_foreign(0);
        expect_foreign(FAKE_TEXT_BYTES - 1);
    }
    fake_core = me;
}

static void claimed_at_every_point_of_a_batch(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SITES; i++) {
        uint8_t jmp[5] = { 0xE9, 0, (uint8_t)i, 0, 0 };

        if (i == INT3_SITE)
            jmp[0] = 0xCC;
        assert_int_equal(smp_text_poke_batch_add(fake_text + offsets[i], jmp,
                                                 i == INT3_SITE ? 1 : 5, NULL, NULL),
                         POKE_OK);
    }
    for (unsigned i = 0; i < SITES; i++)
        expect_foreign(offsets[i]); /* pending, not published */
    fake.hook = hit_everything;
    assert_int_equal(smp_text_poke_batch_finish(), POKE_OK);
    fake.hook = NULL;
    for (unsigned i = 0; i < SITES; i++)
        expect_foreign(offsets[i]); /* retired */

    assert_int_equal(hook_calls, SITES + (SITES - 1) + (SITES - 1) + 3);
    assert_int_equal(machine_poke_core(1)->int3_hits, hook_calls * (SITES - 1));
    assert_int_equal(machine_poke_core(1)->int3_foreign, hook_calls * (1 + 2 * (SITES - 1) + 2));
    assert_int_equal(machine_poke_core(0)->int3_foreign,
                     machine_poke_core(1)->int3_foreign + 2 * SITES);
}

/* The emulate image is what a hit does, not the bytes that are written. */
static size_t emulated_to;
static void hit_first(void)
{
    struct poke_regs regs;

    assert_true(hit(0x10, &regs));
    emulated_to = regs.ip - (uintptr_t)fake_text;
}

static void emulate_image_wins(void **state)
{
    static const uint8_t to_100[5] = { 0xE9, 0xEB, 0x00, 0, 0 };

    (void)state;
    fake.hook = hit_first;
    assert_int_equal(smp_text_poke_single(fake_text + 0x10, poke_nop5, 5, to_100), POKE_OK);
    assert_int_equal(emulated_to, 0x100);
    assert_memory_equal(fake_text + 0x10, poke_nop5, 5);
}

/* A handler on core 2 is in the table when the patcher wants it back. */
static void leave_table(void)
{
    if (fake.relaxes == 0)
        return;
    assert_string_equal(fake.phase, "text_poke: retire");
    if (fake.relaxes == 7)
        fetch_sub(&machine_poke_core(2)->refs[0], 1);
}

static void enter_table(void)
{
    if (fake.syncs == 3 && !fake.relaxes) {
        fetch_add(&machine_poke_core(2)->refs[0], 1);
        fake.hook = leave_table;
    }
}

static void retire_waits_for_a_handler(void **state)
{
    uint64_t waits = poke_counters()->retire_waits;

    (void)state;
    fake.hook = enter_table;
    assert_int_equal(smp_text_poke_single(fake_text, poke_nop5, 5, NULL), POKE_OK);
    assert_int_equal(fake.relaxes, 7);
    assert_int_equal(poke_counters()->retire_waits, waits + 1);
}

/*
 * Threads as cores hit sites and foreign INT3s at full rate while the table is refilled with
 * other sites all the time. The jump of a site is a function of its address, so an entry that
 * was read while it was written shows.
 */
#define STORM_SITES 512
static atomic_bool storm_over;
static atomic_ulong storm_hits, storm_errors;

static size_t storm_offset(unsigned site)
{
    return site * 7u;
}

static void *storm_core(void *core)
{
    struct prng rng = prng_stream(FUZZ_SEED, 10 + (uintptr_t)core);

    fake_core = (unsigned)(uintptr_t)core;
    while (!atomic_load(&storm_over)) {
        unsigned site = prng_below(&rng, STORM_SITES);
        size_t offset = storm_offset(site);
        struct poke_regs regs;
        bool foreign = prng_below(&rng, 4) == 0;

        if (!hit(offset + foreign, &regs))
            continue;
        atomic_fetch_add(&storm_hits, 1);
        if (foreign || regs.ip != (uintptr_t)fake_text + offset + 5 + 0x10000 * site)
            atomic_fetch_add(&storm_errors, 1);
    }
    return NULL;
}

static void table_is_constant_under_a_storm(void **state)
{
    unsigned long batches = fuzz_rounds("storm", 4000);
    struct prng rng = prng_stream(FUZZ_SEED, 3);
    pthread_t threads[FAKE_CORES];

    (void)state;
    poke_order_check_enable(false);
    for (uintptr_t core = 1; core < FAKE_CORES; core++)
        assert_int_equal(pthread_create(&threads[core], NULL, storm_core, (void *)core), 0);
    for (unsigned long b = 0; b < batches; b++) {
        fake.trace[0] = 0;
        for (unsigned site = prng_below(&rng, 64); site < STORM_SITES;
             site += 1 + prng_below(&rng, 64)) {
            uint32_t rel = 0x10000 * site;
            uint8_t jmp[5] = { 0xE9, (uint8_t)rel, (uint8_t)(rel >> 8), (uint8_t)(rel >> 16),
                               (uint8_t)(rel >> 24) };

            assert_int_equal(
                smp_text_poke_batch_add(fake_text + storm_offset(site), jmp, 5, NULL, NULL),
                POKE_OK);
        }
        assert_int_equal(smp_text_poke_batch_finish(), POKE_OK);
    }
    atomic_store(&storm_over, true);
    for (unsigned core = 1; core < FAKE_CORES; core++)
        pthread_join(threads[core], NULL);
    poke_order_check_enable(true);
    printf("storm: %lu hits, %lu cores waited for\n", atomic_load(&storm_hits),
           (unsigned long)poke_counters()->retire_waits);
    assert_true(atomic_load(&storm_hits) > 0);
    assert_int_equal(atomic_load(&storm_errors), 0);
}

#define poke_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        poke_test(claimed_at_every_point_of_a_batch),
        poke_test(emulate_image_wins),
        poke_test(retire_waits_for_a_handler),
        poke_test(table_is_constant_under_a_storm),
    };

    return cmocka_run_group_tests_name("poke handler", tests, NULL, NULL);
}

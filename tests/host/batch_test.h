/* SPDX-License-Identifier: MIT */
/* What the tests of batches share: instructions, and one engine for each test. */
#ifndef TESTS_HOST_BATCH_TEST_H
#define TESTS_HOST_BATCH_TEST_H

#include "tests/host/host_test.h"

#include "poke/poke.h"
#include "tests/host/fake_machine.h"

static const uint8_t __attribute__((unused)) call_insn[5] = { 0xE8, 0x11, 0x22, 0x33, 0x04 };
static const uint8_t __attribute__((unused)) jmp_insn[5] = { 0xE9, 0x55, 0x66, 0x77, 0x08 };
static const uint8_t __attribute__((unused)) jcc_insn[6] = { 0x0F, 0x84, 0x11, 0x22, 0x33, 0x04 };
static const uint8_t __attribute__((unused)) jmp8_insn[2] = { 0xEB, 0x10 };
static const uint8_t __attribute__((unused)) ret_insn[1] = { 0xC3 };
static const uint8_t __attribute__((unused)) int3_insn[1] = { 0xCC };

static struct poke_counters before; /* counters at the test's begin */

static int setup(void **state)
{
    (void)state;
    fake_reset(2048);
    poke_order_check_enable(true);
    poke_order_reset();
    text_mutex_lock();
    before = *poke_counters();
    return 0;
}

/* Whatever a test did, the log must show the protocol, and the engine be in no phase. */
static int teardown(void **state)
{
    (void)state;
    assert_null(poke_first_fault());
    assert_null(fake.phase);
    text_mutex_unlock();
    return 0;
}

static void *site(size_t offset)
{
    return fake_text + offset;
}

static inline void add(size_t offset, const void *bytes, size_t len, bool flush_wanted)
{
    bool flushed = !flush_wanted;

    assert_int_equal(smp_text_poke_batch_add(site(offset), bytes, len, NULL, &flushed), POKE_OK);
    assert_int_equal(flushed, flush_wanted);
}

static inline void finish(void)
{
    assert_int_equal(smp_text_poke_batch_finish(), POKE_OK);
}

#define counted(what) (poke_counters()->what - before.what)

#define poke_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif

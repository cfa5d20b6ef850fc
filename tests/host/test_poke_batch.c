/* SPDX-License-Identifier: MIT */
/*
 * Batches: the exact order of stores and syncs, the queue's rules, and errors that leave the text
 * untouched.
 */
#include "tests/host/host_test.h"

#include "poke/poke.h"
#include "tests/host/fake_machine.h"

static const uint8_t call_insn[5] = { 0xE8, 0x11, 0x22, 0x33, 0x04 };
static const uint8_t jmp_insn[5] = { 0xE9, 0x55, 0x66, 0x77, 0x08 };
static const uint8_t jcc_insn[6] = { 0x0F, 0x84, 0x11, 0x22, 0x33, 0x04 };
static const uint8_t jmp8_insn[2] = { 0xEB, 0x10 };
static const uint8_t ret_insn[1] = { 0xC3 };
static const uint8_t int3_insn[1] = { 0xCC };

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

static void add(size_t offset, const void *bytes, size_t len, bool flush_wanted)
{
    bool flushed = !flush_wanted;

    assert_int_equal(smp_text_poke_batch_add(site(offset), bytes, len, NULL, &flushed), POKE_OK);
    assert_int_equal(flushed, flush_wanted);
}

static void finish(void)
{
    assert_int_equal(smp_text_poke_batch_finish(), POKE_OK);
}

#define counted(what) (poke_counters()->what - before.what)

static void five_bytes(void **state)
{
    (void)state;
    assert_int_equal(smp_text_poke_single(site(0x100), call_insn, 5, NULL), POKE_OK);
    assert_string_equal(fake.trace, "(cc@100)|(11223304@101)|(e8@100)|");
    assert_int_equal(counted(syncs), 3);
    assert_int_equal(counted(windows), 3);
    assert_int_equal(counted(stores), 3);
    assert_int_equal(counted(batches), 1);
    assert_int_equal(counted(sites), 1);
    assert_int_equal(counted(order_checked), 1);

    const struct poke_timing *t = poke_last_timing();

    assert_int_equal(t->steps, 8);
    assert_int_equal(t->sites, 1);
    for (unsigned i = 0; i < t->steps; i++)
        assert_true(t->end[i] > (i ? t->end[i - 1] : t->begin));
}

static void one_byte_needs_two_syncs(void **state)
{
    (void)state;
    assert_int_equal(smp_text_poke_single(site(0x100), ret_insn, 1, NULL), POKE_OK);
    assert_string_equal(fake.trace, "(cc@100)|(c3@100)|");
    assert_int_equal(counted(syncs), 2);

    const struct poke_timing *t = poke_last_timing();

    assert_int_equal(t->end[3], 0); /* tails and their sync */
    assert_int_equal(t->end[4], 0);
    assert_true(t->end[7] > t->end[5]);
}

static void int3_needs_one_sync(void **state)
{
    (void)state;
    add(0x100, int3_insn, 1, false);
    add(0x101, int3_insn, 1, false);
    finish();
    assert_string_equal(fake.trace, "(cc@100cc@101)|");
    assert_int_equal(counted(syncs), 1);
    assert_int_equal(counted(windows), 1);
}

static void mixed_lengths_one_window_per_step(void **state)
{
    (void)state;
    add(0x0FFE, call_insn, 5, false);
    add(0x1100, int3_insn, 1, false);
    add(0x1101, ret_insn, 1, false);
    add(0x3100, jmp8_insn, 2, false);
    add(0x3102, jcc_insn, 6, false);
    finish();
    assert_string_equal(fake.trace, "(cc@ffecc@1100cc@1101cc@3100cc@3102)|"
                                    "(11223304@fff10@31018411223304@3103)|"
                                    "(e8@ffec3@1101eb@31000f@3102)|");
    assert_int_equal(counted(windows), 3);
    assert_int_equal(counted(sites), 5);
}

static void text_differs_from_emulation(void **state)
{
    static const uint8_t xor_eax[5] = { 0x2E, 0x2E, 0x2E, 0x31, 0xC0 };

    (void)state;
    assert_int_equal(smp_text_poke_single(site(0x10), xor_eax, 5, NULL), POKE_E_OPCODE);
    assert_int_equal(smp_text_poke_single(site(0x10), xor_eax, 5, call_insn), POKE_OK);
    assert_string_equal(fake.trace, "(cc@10)|(2e2e31c0@11)|(2e@10)|");
}

static void page_crossing_at_every_split(void **state)
{
    static const struct {
        const uint8_t *bytes;
        unsigned len;
    } images[] = { { jmp8_insn, 2 }, { call_insn, 5 }, { jcc_insn, 6 } };

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        for (unsigned split = 1; split < images[i].len; split++) {
            uint8_t around[48];
            size_t offset = 5 * MACHINE_PAGE - split;

            fake_reset(2048);
            assert_int_equal(
                smp_text_poke_single(site(offset), images[i].bytes, images[i].len, NULL), POKE_OK);
            memset(around, FAKE_FILL, sizeof(around));
            memcpy(around + 16, images[i].bytes, images[i].len);
            assert_memory_equal(site(offset - 16), around, sizeof(around));
            assert_int_equal(fake.opens, 3);
        }
    }
}

static void full_batch_of_page_crossers(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TEXT_POKE_ARRAY_MAX; i++)
        add((i + 1) * (size_t)MACHINE_PAGE - 2, call_insn, 5, false);
    assert_int_equal(fake.opens, 0);
    add((TEXT_POKE_ARRAY_MAX + 1) * (size_t)MACHINE_PAGE - 2, jmp_insn, 5, true);
    assert_int_equal(counted(windows), 3);
    assert_int_equal(counted(syncs), 2); /* the third is left to the batch that has begun */
    assert_int_equal(counted(sites), TEXT_POKE_ARRAY_MAX);
    assert_int_equal(counted(flushes), 1);
    for (unsigned i = 0; i < TEXT_POKE_ARRAY_MAX; i++)
        assert_memory_equal(site((i + 1) * (size_t)MACHINE_PAGE - 2), call_insn, 5);
    finish();
    assert_memory_equal(site((TEXT_POKE_ARRAY_MAX + 1) * (size_t)MACHINE_PAGE - 2), jmp_insn, 5);
    assert_int_equal(counted(order_checked), 2);
}

static void adjacent_sites_share_a_batch(void **state)
{
    (void)state;
    add(0x20, call_insn, 5, false);
    add(0x25, jmp_insn, 5, false);
    finish();
    assert_int_equal(counted(batches), 1);
}

static void descending_equal_and_overlapping_sites_flush(void **state)
{
    (void)state;
    add(0x20, call_insn, 5, false);
    add(0x10, jmp_insn, 5, true); /* descending */
    assert_memory_equal(site(0x20), call_insn, 5);
    add(0x10, call_insn, 5, true); /* equal: the last writer wins */
    assert_memory_equal(site(0x10), jmp_insn, 5);
    add(0x14, jmp8_insn, 2, true); /* overlapping, ascending */
    assert_memory_equal(site(0x10), call_insn, 5);
    add(0x0F, ret_insn, 1, true);
    finish();
    finish(); /* nothing is pending: no-op */
    assert_int_equal(counted(batches), 5);
    assert_int_equal(counted(flushes), 4);
    assert_memory_equal(site(0x14), jmp8_insn, 2);
    assert_memory_equal(site(0x0F), ret_insn, 1);
}

static void single_with_a_pending_batch(void **state)
{
    (void)state;
    add(0x200, call_insn, 5, false);
    assert_int_equal(smp_text_poke_single(site(0x100), jmp_insn, 5, NULL), POKE_OK);
    assert_string_equal(fake.trace, "(cc@200)|(11223304@201)|(e8@200)"
                                    "(cc@100)|(55667708@101)|(e9@100)|");
    add(0x200, jmp_insn, 5, false);
    assert_int_equal(smp_text_poke_single(site(0x300), jmp_insn, 5, NULL), POKE_OK);
    assert_int_equal(counted(batches), 3); /* the second pair in one */
}

/* ---- batches that follow one another ---- */

static void following_batches_share_a_sync(void **state)
{
    (void)state;
    add(0x300, call_insn, 5, false);
    add(0x200, jmp_insn, 5, true);
    add(0x100, jmp8_insn, 2, true);
    finish();
    assert_string_equal(fake.trace, "(cc@300)|(11223304@301)|(e8@300)"
                                    "(cc@200)|(55667708@201)|(e9@200)"
                                    "(cc@100)|(10@101)|(eb@100)|");
    assert_int_equal(counted(syncs), 7);
    assert_int_equal(counted(batches), 3);
    assert_int_equal(counted(order_checked), 3);
    assert_int_equal(counted(order_violations), 0);
}

/* A site of the batch before: the two may not be under way together. */
static void same_site_again_waits_for_its_sync(void **state)
{
    (void)state;
    add(0x200, call_insn, 5, false);
    add(0x100, call_insn, 5, true);
    add(0x200, jmp_insn, 5, false); /* of the batch that is open: it is closed first */
    finish();
    assert_string_equal(fake.trace, "(cc@200)|(11223304@201)|(e8@200)|"
                                    "(cc@100cc@200)|(11223304@10155667708@201)|(e8@100e9@200)|");
    assert_int_equal(counted(order_checked), 2);
    assert_int_equal(counted(order_violations), 0);
}

/* Nothing but INT3s were stored: there is nothing left to synchronise. */
static void int3s_leave_no_batch_open(void **state)
{
    (void)state;
    add(0x200, int3_insn, 1, false);
    add(0x100, call_insn, 5, true);
    finish();
    assert_string_equal(fake.trace, "(cc@200)|(cc@100)|(11223304@101)|(e8@100)|");
    assert_int_equal(counted(order_violations), 0);
}

/* The batch that follows finds no page before its first sync: the one before gets its own. */
static void open_batch_survives_a_refused_one(void **state)
{
    (void)state;
    add(0x200, call_insn, 5, false);
    add(0x100, call_insn, 5, true);
    fake.refused_open = fake.opens + 1;
    assert_int_equal(smp_text_poke_batch_finish(), POKE_E_ADDRESS);
    assert_string_equal(fake.trace, "(cc@200)|(11223304@201)|(e8@200)|");
    assert_memory_equal(site(0x200), call_insn, 5);
    assert_int_equal(counted(order_checked), 1);
    fake.refused_open = 0;
    add(0x200, jmp_insn, 5, false);
    finish();
    assert_memory_equal(site(0x200), jmp_insn, 5);
}

/* Other rows of steps share nothing. */
static void only_a_late_sync_is_shared(void **state)
{
    struct poke_protocol row = poke_int3;

    (void)state;
    for (unsigned i = 0; i < POKE_STEPS_MAX; i++)
        if (row.steps[i] == POKE_STEP_SYNC_LATE)
            row.steps[i] = POKE_STEP_SYNC;
    assert_int_equal(poke_select_protocol(&row), POKE_OK);
    add(0x200, call_insn, 5, false);
    add(0x100, jmp_insn, 5, true);
    finish();
    assert_int_equal(counted(syncs), 6);
    assert_int_equal(poke_select_protocol(NULL), POKE_OK);
}

/* An open batch is settled by the end of its section, so that another patcher finds none. */
static void unlocking_settles(void **state)
{
    struct poke_regs regs = { .ip = (uintptr_t)site(0x201), .sp = 0, .flags = 2 };

    (void)state;
    add(0x200, call_insn, 5, false);
    add(0x100, call_insn, 5, true);
    text_mutex_unlock();
    assert_string_equal(fake.trace, "(cc@200)|(11223304@201)|(e8@200)|");
    assert_false(smp_text_poke_int3_handler(&regs));
    fake_core = 1;
    text_mutex_lock();
    finish();
    text_mutex_unlock();
    fake_core = 0;
    text_mutex_lock();
    assert_int_equal(counted(order_checked), 2);
    assert_int_equal(counted(order_violations), 0);
}

static void writing_and_syncing_settle(void **state)
{
    (void)state;
    add(0x200, call_insn, 5, false);
    add(0x100, call_insn, 5, true);
    assert_int_equal(text_poke(site(0x300), ret_insn, 1), POKE_OK);
    assert_string_equal(fake.trace, "(cc@200)|(11223304@201)|(e8@200)|(c3@300)");
    add(0x80, call_insn, 5, true);
    smp_text_poke_sync_each_cpu();
    assert_int_equal(counted(syncs), 6); /* the one that was asked for serves the batch too */
    finish();
    assert_int_equal(counted(order_checked), 3);
    assert_int_equal(counted(order_violations), 0);
}

/* Between the two batches a core meets an INT3 of either. */
static uint64_t emulated[2];

static void meet_both(void)
{
    struct poke_regs first = { .ip = (uintptr_t)site(0x201), .sp = 0, .flags = 2 };
    struct poke_regs second = { .ip = (uintptr_t)site(0x101), .sp = 0, .flags = 2 };

    if (fake.syncs != 3) /* the one that the batches share has ended, and nothing is retired yet */
        return;
    emulated[0] += smp_text_poke_int3_handler(&first);
    emulated[1] += smp_text_poke_int3_handler(&second);
    fake.hook = NULL;
}

static void both_tables_are_published_between(void **state)
{
    (void)state;
    emulated[0] = emulated[1] = 0;
    fake.hook = meet_both;
    add(0x200, jmp_insn, 5, false);
    add(0x100, jmp8_insn, 2, true);
    finish();
    assert_int_equal(emulated[0], 1);
    assert_int_equal(emulated[1], 1);
}

static void expect_refused(size_t offset, const void *bytes, size_t len, const void *emulate,
                           enum poke_error error)
{
    bool flushed = true;

    assert_int_equal(smp_text_poke_batch_add(site(offset), bytes, len, emulate, &flushed), error);
    assert_false(flushed);
    assert_string_equal(fake.trace, "");
    for (size_t i = 0; i < FAKE_TEXT_BYTES; i++)
        if (fake_text[i] != FAKE_FILL)
            fail_msg("text byte %zx changed", i);
}

static void refused_sites_change_nothing(void **state)
{
    static const uint8_t bad_pad[5] = { 0xC3, 0xCC, 0xCC, 0x90, 0xCC };
    static const uint8_t two_nops[2] = { 0x90, 0x90 };
    static const uint8_t padded_call[6] = { 0xE8, 0x11, 0x22, 0x33, 0x04, 0xCC };

    (void)state;
    add(0x400, call_insn, 5, false); /* stays pending through all that follows */
    expect_refused(0x10, call_insn, 0, NULL, POKE_E_LENGTH);
    expect_refused(0x10, call_insn, 3, NULL, POKE_E_LENGTH);
    expect_refused(0x10, call_insn, 7, NULL, POKE_E_LENGTH);
    expect_refused(0x10, call_insn, 261, NULL, POKE_E_LENGTH); /* 5 modulo 256 */
    expect_refused(0x10, padded_call, 6, NULL, POKE_E_LENGTH);
    expect_refused(0x10, jcc_insn, 5, NULL, POKE_E_LENGTH);
    expect_refused(0x10, bad_pad, 5, NULL, POKE_E_PADDING);
    expect_refused(0x10, two_nops, 2, NULL, POKE_E_OPCODE);
    expect_refused(0x10, call_insn, 5, bad_pad, POKE_E_PADDING);
    expect_refused(FAKE_TEXT_BYTES - 4, call_insn, 5, NULL, POKE_E_ADDRESS);
    expect_refused((size_t)0 - 1, call_insn, 5, NULL, POKE_E_ADDRESS);
    fake.forbidden = (uintptr_t)site(0x14);
    expect_refused(0x10, call_insn, 5, NULL, POKE_E_ADDRESS);

    assert_int_equal(poke_select_protocol(NULL), POKE_E_PENDING);
    text_mutex_unlock();
    expect_refused(0x500, call_insn, 5, NULL, POKE_E_LOCK);
    assert_int_equal(smp_text_poke_batch_finish(), POKE_E_LOCK);
    assert_int_equal(smp_text_poke_single(site(0x500), call_insn, 5, NULL), POKE_E_LOCK);
    assert_int_equal(poke_select_protocol(NULL), POKE_E_LOCK);
    text_mutex_lock();
    finish();
    assert_string_equal(fake.trace, "(cc@400)|(11223304@401)|(e8@400)|");
}

static void lock_belongs_to_a_core(void **state)
{
    (void)state;
    fake_core = 1;
    assert_int_equal(smp_text_poke_single(site(0x10), call_insn, 5, NULL), POKE_E_LOCK);
    text_mutex_unlock(); /* not the holder: no effect */
    fake_core = 0;
    assert_int_equal(smp_text_poke_single(site(0x10), call_insn, 5, NULL), POKE_OK);
}

static void unlock_core_0(void)
{
    assert_string_equal(fake.phase, "text_poke: waiting for text_mutex");
    if (fake.relaxes < 5)
        return;
    fake_core = 0;
    text_mutex_unlock();
    fake_core = 1;
}

static void lock_waits(void **state)
{
    (void)state;
    fake_core = 1;
    fake.hook = unlock_core_0;
    text_mutex_lock();
    assert_int_equal(fake.relaxes, 5);
    fake.hook = NULL;
    text_mutex_unlock();
    fake_core = 0;
    text_mutex_lock();
}

static void sync_with_and_without_the_lock(void **state)
{
    (void)state;
    smp_text_poke_sync_each_cpu();
    assert_int_equal(smp_text_poke_single(site(0x10), ret_insn, 1, NULL), POKE_OK); /* still held */
    text_mutex_unlock();
    smp_text_poke_sync_each_cpu();
    assert_int_equal(smp_text_poke_single(site(0x10), ret_insn, 1, NULL), POKE_E_LOCK);
    text_mutex_lock();
    assert_string_equal(fake.trace, "|(cc@10)|(c3@10)||");
}

static void unmapped_page_before_the_first_store(void **state)
{
    (void)state;
    fake.refused_open = 1;
    assert_int_equal(smp_text_poke_single(site(0x10), call_insn, 5, NULL), POKE_E_ADDRESS);
    assert_string_equal(fake.trace, "");
    for (unsigned i = 0; i < FAKE_CORES; i++)
        assert_int_equal(machine_poke_core(i)->refs[0] + machine_poke_core(i)->refs[1], 0);
    assert_int_equal(smp_text_poke_single(site(0x10), call_insn, 5, NULL), POKE_OK);
}

/* The last test: the engine does not patch again after it. */
static void lost_store_ends_patching(void **state)
{
    (void)state;
    fake.lost_store = 2;
    assert_int_equal(smp_text_poke_single(site(0x10), call_insn, 5, NULL), POKE_E_READBACK);
    assert_string_equal(fake.trace, "(cc@10)|(11223304@11)");

    struct poke_regs regs = { .ip = (uintptr_t)site(0x11), .sp = (uintptr_t)&before + 8 };

    assert_true(smp_text_poke_int3_handler(&regs)); /* the INT3 that stands is still served */
    assert_int_equal(smp_text_poke_single(site(0x90), call_insn, 5, NULL), POKE_E_READBACK);
    assert_int_equal(smp_text_poke_batch_finish(), POKE_E_READBACK);
    assert_string_equal(fake.trace, "(cc@10)|(11223304@11)");
}

#define poke_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        poke_test(five_bytes),
        poke_test(one_byte_needs_two_syncs),
        poke_test(int3_needs_one_sync),
        poke_test(mixed_lengths_one_window_per_step),
        poke_test(text_differs_from_emulation),
        poke_test(page_crossing_at_every_split),
        poke_test(full_batch_of_page_crossers),
        poke_test(adjacent_sites_share_a_batch),
        poke_test(following_batches_share_a_sync),
        poke_test(same_site_again_waits_for_its_sync),
        poke_test(int3s_leave_no_batch_open),
        poke_test(open_batch_survives_a_refused_one),
        poke_test(only_a_late_sync_is_shared),
        poke_test(unlocking_settles),
        poke_test(writing_and_syncing_settle),
        poke_test(both_tables_are_published_between),
        poke_test(descending_equal_and_overlapping_sites_flush),
        poke_test(single_with_a_pending_batch),
        poke_test(refused_sites_change_nothing),
        poke_test(lock_belongs_to_a_core),
        poke_test(lock_waits),
        poke_test(sync_with_and_without_the_lock),
        poke_test(unmapped_page_before_the_first_store),
        poke_test(lost_store_ends_patching),
    };

    return cmocka_run_group_tests_name("poke batch", tests, NULL, NULL);
}

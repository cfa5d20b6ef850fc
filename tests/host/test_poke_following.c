/* SPDX-License-Identifier: MIT */
/* Batches that follow one another: which syncs they share, and when one is settled. */
#include "tests/host/batch_test.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        poke_test(following_batches_share_a_sync), poke_test(same_site_again_waits_for_its_sync),
        poke_test(int3s_leave_no_batch_open),      poke_test(open_batch_survives_a_refused_one),
        poke_test(only_a_late_sync_is_shared),     poke_test(unlocking_settles),
        poke_test(writing_and_syncing_settle),     poke_test(both_tables_are_published_between),
    };

    return cmocka_run_group_tests_name("poke batches that follow", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* The order check: silent on the protocol, and with the right words on every fault. */
#include "tests/host/host_test.h"

#include "poke/log.h"
#include "poke/poke.h"
#include "tests/host/fake_machine.h"
#include "tests/selftest/faulty_protocols.h"
#include "tests/lib/table_refs.h"

static const uint8_t call_insn[5] = { 0xE8, 0x11, 0x22, 0x33, 0x04 };
static const uint8_t ret_insn[1] = { 0xC3 };

#define FIRST_SITE 0x100

static void restart(uint32_t log_entries)
{
    fake_reset(log_entries);
    poke_order_check_enable(true);
    poke_order_reset();
}

static int setup(void **state)
{
    (void)state;
    restart(2048);
    text_mutex_lock();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    poke_select_protocol(NULL);
    text_mutex_unlock();
    return 0;
}

/* One batch of `sites` calls; returns the fault, if the check found one. */
static const struct poke_order_fault *run(unsigned sites)
{
    for (unsigned i = 0; i < sites; i++)
        assert_int_equal(
            smp_text_poke_batch_add(fake_text + FIRST_SITE + 8 * i, call_insn, 5, NULL, NULL),
            POKE_OK);
    assert_int_equal(smp_text_poke_batch_finish(), POKE_OK);
    return poke_first_fault();
}

static void expect_fault(const struct poke_order_fault *fault, const char *what, bool has_site)
{
    assert_non_null(fault);
    assert_string_equal(fault->what, what);
    assert_int_equal(fault->site, has_site ? (uintptr_t)fake_text + FIRST_SITE : 0);
    assert_int_equal(fault->batch, poke_counters()->batches);
}

static void silent_on_the_protocol(void **state)
{
    static const unsigned sizes[] = { 1, 2, 17, TEXT_POKE_ARRAY_MAX };
    struct poke_counters before = *poke_counters();

    (void)state;
    for (unsigned i = 0; i < 40; i++) /* the rings wrap */
        assert_null(run(sizes[i % 4]));
    assert_int_equal(poke_counters()->order_checked, before.order_checked + 40);
    assert_int_equal(poke_counters()->order_violations, before.order_violations);
}

static void every_faulty_protocol(void **state)
{
    static const struct {
        const struct poke_protocol *row;
        const char *what;
    } faults[] = {
        { &poke_fault_bytewise, "no INT3 before the first byte" },
        { &poke_fault_no_int3, "no INT3 before the tail" },
        { &poke_fault_no_sync1, "tail stored before the INT3 was synchronised" },
        { &poke_fault_no_sync2, "first byte stored before the tail was synchronised" },
        { &poke_fault_no_sync3, "retired before the first byte was synchronised" },
        { &poke_fault_late_publish, "INT3 stored before publish" },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        for (unsigned sites = 1; sites <= TEXT_POKE_ARRAY_MAX; sites *= 16) {
            uint64_t violations = poke_counters()->order_violations;

            restart(2048);
            assert_int_equal(poke_select_protocol(faults[i].row), POKE_OK);
            expect_fault(run(sites), faults[i].what, true);
            assert_int_equal(poke_counters()->order_violations, violations + 1);
            /* The end is the same; only the way there was wrong. */
            assert_memory_equal(fake_text + FIRST_SITE, call_insn, 5);
        }
    }
}

static void bytewise_lets_cores_run_between_its_stores(void **state)
{
    (void)state;
    assert_int_equal(poke_select_protocol(&poke_fault_bytewise), POKE_OK);
    assert_non_null(run(1));
    assert_string_equal(fake.trace, "(e8@10011@10122@10233@10304@104)");
    assert_int_equal(fake.relaxes, 5);
}

/* Rows that nobody would plant, for the remaining sentences. */
static void every_other_sentence(void **state)
{
    static const struct {
        uint8_t steps[POKE_STEPS_MAX];
        const char *what;
        bool has_site;
    } rows[] = {
#define P POKE_STEP_PUBLISH
#define I POKE_STEP_INT3
#define T POKE_STEP_TAIL
#define F POKE_STEP_FIRST
#define B POKE_STEP_BYTES
#define S POKE_STEP_SYNC
#define R POKE_STEP_RETIRE
        { { P, I, S, F, S, T, S, R }, "first byte stored before the tail", true },
        { { P, I, S, T, S, F, S, T, S, R }, "tail stored after the first byte", true },
        { { P, I, S, T, S, F, S, R, I }, "store after retire", true },
        { { P, I, S, T, S, F, S }, "not retired", false },
        { { P, I, R }, "retired before the INT3 was synchronised", true },
        { { P, I, S, R }, "retired before the tail was stored", true },
        { { P, I, S, T, R }, "retired before the tail was synchronised", true },
        { { P, I, S, T, S, R }, "retired before the first byte was stored", true },
        { { P, S, R }, "retired, but the INT3 was never stored", true },
        { { R }, "retired, but not published", false },
        { { S }, "not retired", false },
#undef P
#undef I
#undef T
#undef F
#undef B
#undef S
#undef R
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct poke_protocol row = { .name = "row" };

        restart(2048);
        memcpy(row.steps, rows[i].steps, sizeof(row.steps));
        assert_int_equal(poke_select_protocol(&row), POKE_OK);
        expect_fault(run(3), rows[i].what, rows[i].has_site);
        for (unsigned core = 0; core < FAKE_CORES; core++)
            assert_int_equal(table_refs(core), 0); /* RETIRE or not */
    }
}

/* Events that the engine does not log: a hook logs them in its place, at the first sync. */
static void (*inject)(void);

static void log_store(uintptr_t addr, uint8_t first, size_t len)
{
    struct poke_stores stores = poke_log_stores_begin(machine_now());

    poke_log_store(&stores, addr, first, len);
    poke_log_stores_end(&stores);
}

static void at_first_sync(void)
{
    if (fake.syncs != 1)
        return;
    fake.hook = NULL;
    inject();
}

static void store_in_sync(void)
{
    log_store((uintptr_t)fake_text + FIRST_SITE + 1, 0, 1);
}

static void store_elsewhere(void)
{
    log_store((uintptr_t)fake_text, 0, 1);
}

static void store_too_long(void)
{
    log_store((uintptr_t)fake_text + FIRST_SITE, 0, 6);
}

static void foreign_sync_end(void)
{
    poke_log_event(POKE_EV_SYNC_END, 0);
}

static void store_at_once(void)
{
    /* End the sync, so that the store is the fault. */
    poke_log_event(POKE_EV_SYNC_END, poke_counters()->syncs + 1);
    log_store((uintptr_t)fake_text + FIRST_SITE, 0xE8, 5);
}

static void every_impossible_event(void **state)
{
    static const struct {
        void (*event)(void);
        const char *what;
        bool has_site;
    } events[] = {
        { store_in_sync, "store inside a sync", true },
        { store_elsewhere, "store outside the batch's sites", false },
        { store_too_long, "store outside the batch's sites", false },
        { foreign_sync_end, "end of a sync that did not begin", false },
        { store_at_once, "first byte stored together with others", true },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        restart(2048);
        inject = events[i].event;
        fake.hook = at_first_sync;
        expect_fault(run(1), events[i].what, events[i].has_site);
    }
}

static void no_sync1_without_tails(void **state)
{
    (void)state;
    assert_int_equal(poke_select_protocol(&poke_fault_no_sync1), POKE_OK);
    assert_int_equal(smp_text_poke_single(fake_text + FIRST_SITE, ret_insn, 1, NULL), POKE_OK);
    expect_fault(poke_first_fault(), "first byte stored before the INT3 was synchronised", true);
}

static void every_missing_acknowledgement(void **state)
{
    (void)state;
    for (unsigned core = 0; core < FAKE_CORES; core++) {
        for (unsigned sync = 1; sync <= 3; sync++) {
            restart(2048);
            fake.silent_core = core;
            fake.silent_sync = sync;

            const struct poke_order_fault *fault = run(2);

            expect_fault(fault, "a core did not acknowledge a sync", false);
            assert_int_equal(fault->core, core);
            assert_int_equal(fault->sync, sync);
        }
    }
}

static void early_or_late_acknowledgement(void **state)
{
    (void)state;
    fake.shifted_core = 1;
    fake.shifted_sync = 3;
    fake.shift = -1000;
    expect_fault(run(1), "a core acknowledged a sync before it began", false);
    assert_int_equal(poke_first_fault()->core, 1);

    restart(2048);
    fake.shifted_core = 2;
    fake.shifted_sync = 2;
    fake.shift = 1000;

    const struct poke_order_fault *fault = run(1);

    expect_fault(fault, "a core acknowledged a sync after its end", false);
    assert_int_equal(fault->core, 2);
    assert_int_equal(fault->sync, 2);

    restart(2048);
    fake.shifted_core = 2;
    fake.shifted_sync = 2;
    fake.shift = 1000;
    fake.skew = 1000; /* clocks that cannot tell */
    assert_null(run(1));
}

static void core_that_never_started(void **state)
{
    (void)state;
    fake.offline[1] = true;
    assert_null(run(4));
}

/* ---- a core that leaves and comes back ---- */

#define HOOKS 6 /* of a batch of one site: after each of three stores and three syncs */

static unsigned hooks, leave_at, return_at;

static void go_offline(unsigned core)
{
    unsigned caller = fake_core;

    fake_core = core;
    poke_log_offline();
    fake.offline[core] = true;
    fake_core = caller;
}

static void come_back(unsigned core)
{
    unsigned caller = fake_core;

    fake.offline[core] = false;
    fake_core = core;
    poke_log_online();
    fake_core = caller;
}

static void leave_and_return(void)
{
    hooks++;
    if (hooks == leave_at)
        go_offline(1);
    if (hooks == return_at)
        come_back(1);
}

/*
 * With core 1 away from after hook `from` to after hook `to`; 0: since or until before the batch.
 */
static const struct poke_order_fault *run_away(unsigned from, unsigned to)
{
    restart(2048);
    hooks = 0;
    leave_at = from;
    return_at = to;
    fake.hook = leave_and_return;
    if (!from)
        go_offline(1);
    if (!to)
        come_back(1);
    const struct poke_order_fault *fault = run(1);
    fake.hook = NULL;
    if (fake.offline[1])
        come_back(1);
    return fault;
}

static void core_away_owes_nothing(void **state)
{
    (void)state;
    for (unsigned from = 0; from <= HOOKS; from++) {
        for (unsigned to = from + 1; to <= HOOKS + 1; to++)
            assert_null(run_away(from, to)); /* HOOKS + 1: for good */
    }
}

/* It is excused for the syncs that it was away for, and for no other. */
static void core_that_was_away_at_another_time(void **state)
{
    (void)state;
    for (unsigned sync = 1; sync <= 3; sync++) {
        fake.silent_core = 1;
        fake.silent_sync = sync;
        restart(2048);
        go_offline(1); /* back before the batch */
        come_back(1);
        fake.silent_core = 1;
        fake.silent_sync = sync;
        const struct poke_order_fault *fault = run(1);
        expect_fault(fault, "a core did not acknowledge a sync", false);
        assert_int_equal(fault->core, 1);
        assert_int_equal(fault->sync, sync);
    }
    /* Away between the store of the tail and the end of sync 2: silent at 3 all the same. */
    restart(2048);
    hooks = 0;
    leave_at = 3;
    return_at = 4;
    fake.hook = leave_and_return;
    fake.silent_core = 1;
    fake.silent_sync = 3;
    const struct poke_order_fault *fault = run(1);
    fake.hook = NULL;
    expect_fault(fault, "a core did not acknowledge a sync", false);
    assert_int_equal(fault->sync, 3);
}

/* An event that is just being written at a ring's end is no overrun. */
static void core_that_is_logging(void **state)
{
    (void)state;
    restart(2048);
    go_offline(2);
    machine_poke_core(2)->log->next++; /* claimed, not written */
    assert_null(run(1));
    machine_poke_core(2)->log->next--;
    come_back(2);
}

static void online_core_without_a_log(void **state)
{
    (void)state;
    machine_poke_core(3)->log = NULL;
    expect_fault(run(1), "an online core has no event log", false);
    assert_int_equal(poke_first_fault()->core, 3);
}

static void overrun_logs(void **state)
{
    struct poke_log small;
    struct poke_event events[2] = { { 0 } };

    (void)state;
    restart(16);
    assert_null(run(1)); /* 14 events */
    assert_non_null(run(2));
    expect_fault(poke_first_fault(), "the patcher's event log has been overrun", false);

    restart(2048);
    poke_log_attach(1, &small, events, 2); /* three acknowledgements */
    expect_fault(run(1), "a core's event log has been overrun", false);
    assert_int_equal(poke_first_fault()->core, 1);
    restart(2048);
}

static void first_fault_stays(void **state)
{
    (void)state;
    poke_select_protocol(&poke_fault_no_sync3);
    uint64_t batch = run(1)->batch;

    poke_select_protocol(&poke_fault_no_sync1);
    assert_int_equal(run(1)->batch, batch);
    poke_order_reset();
    assert_null(poke_first_fault());
    assert_int_equal(run(1)->batch, batch + 2);
}

static void switched_off(void **state)
{
    struct poke_counters before = *poke_counters();

    (void)state;
    poke_order_check_enable(false);
    poke_select_protocol(&poke_fault_no_sync1);
    assert_null(run(1));
    assert_int_equal(poke_counters()->order_checked, before.order_checked);
    machine_poke_core(0)->log = NULL; /* nothing to check with */
    poke_order_check_enable(true);
    assert_null(run(1));
    assert_int_equal(poke_counters()->order_checked, before.order_checked);
}

/* What other writers log between batches is none of the next batch's business. */
static void pokes_between_batches(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(text_poke(fake_text + 0x10, ret_insn, 1), POKE_OK);
        smp_text_poke_sync_each_cpu();
        assert_null(run(1));
    }
}

#define poke_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        poke_test(silent_on_the_protocol),
        poke_test(every_faulty_protocol),
        poke_test(bytewise_lets_cores_run_between_its_stores),
        poke_test(every_other_sentence),
        poke_test(every_impossible_event),
        poke_test(no_sync1_without_tails),
        poke_test(every_missing_acknowledgement),
        poke_test(early_or_late_acknowledgement),
        poke_test(core_that_never_started),
        poke_test(core_away_owes_nothing),
        poke_test(core_that_was_away_at_another_time),
        poke_test(core_that_is_logging),
        poke_test(online_core_without_a_log),
        poke_test(overrun_logs),
        poke_test(first_fault_stays),
        poke_test(switched_off),
        poke_test(pokes_between_batches),
    };

    return cmocka_run_group_tests_name("poke order", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * I24, control experiments: the same executors and the same oracle, and a patcher that protects
 * nothing. Rewriting byte by byte has to be seen to tear; where it is not, no other result of this
 * machine means anything. Whether one store of five bytes and one of eight tear is what the
 * processor decides, and data: an emulator that takes turns never shows it.
 */
#include "tests/poke/controls.h"

#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "kernel/time/time.h"
#include "smp/smp.h"
#include "tests/lib/executor.h"
#include "tests/selftest/faulty_protocols.h"

#define LENGTH_MS 80

static const struct site_spec specs[] = {
    { SITE_5_CALLS, 0x0200 }, /* within eight bytes */
    { SITE_5_CALLS, 0x033e }, /* across a line */
};
enum { INSIDE, ACROSS };

/* ---- ways to store ---- */

/* By whatever protocol is selected. */
static enum poke_error store_by_protocol(uint8_t *slot, const uint8_t *bytes)
{
    return smp_text_poke_single(slot, bytes, CALL_INSN_SIZE, NULL);
}

static enum poke_error store_five(uint8_t *slot, const uint8_t *bytes)
{
    return text_poke(slot, bytes, CALL_INSN_SIZE);
}

/* One quadword that begins at the slot: with the three bytes that follow, as they are. */
static enum poke_error store_eight(uint8_t *slot, const uint8_t *bytes)
{
    uintptr_t page = (uintptr_t)slot & ~(uintptr_t)(MACHINE_PAGE - 1);
    uint64_t quadword;

    memcpy(&quadword, slot, sizeof quadword);
    memcpy(&quadword, bytes, CALL_INSN_SIZE);
    uint8_t *view = mm_alias_open(page, 1);
    if (!view)
        return POKE_E_ADDRESS;
    /* One instruction, whatever the compiler thinks of the alignment. */
    __asm__ volatile("movq %1, %0"
                     : "=m"(*(uint64_t *)(view + ((uintptr_t)slot - page)))
                     : "r"(quadword));
    mm_alias_close(view, 1);
    return POKE_OK;
}

/* ---- one experiment ---- */

struct result {
    uint64_t stores, executions, outcomes[OUTCOMES];
    enum poke_error error;
};

static void store_loop(struct site *s, struct exec_orders *orders, struct result *r,
                       enum poke_error (*store)(uint8_t *slot, const uint8_t *bytes))
{
    uint64_t begin = rdtsc(), length = time_ns_to_ticks(LENGTH_MS * 1000000ull);

    /* Torn code may do anything: it is enough that each core has run into it. */
    while (rdtsc() - begin < length && load_relaxed(&orders->findings) < smp_online() - 1 &&
           r->error == POKE_OK) {
        uint64_t version = s->begin + 1;
        unsigned image = version % s->images;

        text_mutex_lock();
        store_relaxed(&s->history[version % SITE_HISTORY], (uint8_t)image);
        store_release(&s->begin, version); /* tests/lib/oracle.h has the pairs */
        r->error = store(s->slot, s->image[image].bytes);
        store_release(&s->done, version);
        text_mutex_unlock();
        r->stores++;
        cpu_relax();
    }
}

static struct result experiment(struct site *site,
                                enum poke_error (*store)(uint8_t *slot, const uint8_t *bytes))
{
    struct site_set set = { .sites = site, .count = 1 };
    struct exec_orders orders = { .set = &set };
    struct result r = { 0 };

    executors_start(&orders);
    store_loop(site, &orders, &r, store);
    executors_stop(&orders);
    for_each_online_cpu (core) {
        const struct exec_view *view = &executor((unsigned)core)->view[EXEC_THREAD];

        r.executions += view->executions;
        for (unsigned o = 0; o < OUTCOMES; o++)
            r.outcomes[o] += view->outcomes[o];
    }
    return r;
}

static uint64_t torn(const struct result *r)
{
    return r->outcomes[OUTCOME_TORN] + r->outcomes[OUTCOME_FAULT];
}

static void report(struct test_run *t, const char *name, const struct result *r)
{
    struct json *j = &t->data;

    json_object(j, name);
    json_uint(j, "stores", r->stores);
    json_uint(j, "executions", r->executions);
    json_uint(j, "torn", torn(r));
    json_uint(j, "stale", r->outcomes[OUTCOME_STALE]);
    json_object_end(j);
    EXPECT_EQ(r->error, POKE_OK);
    saw(SEE_EXECUTIONS, r->executions);
    saw(SEE_PATCHES, r->stores);
}

static void select(struct test_run *t, const struct poke_protocol *row)
{
    text_mutex_lock();
    EXPECT_EQ(poke_select_protocol(row), POKE_OK);
    text_mutex_unlock();
}

void control_must_tear(struct test_run *t, const struct poke_protocol *row)
{
    struct prng rng = test_prng(t);
    struct site_set set;

    REQUIRE(site_set_build(&set, &specs[ACROSS], 1, &rng));
    select(t, row);
    struct result r = experiment(&set.sites[0], store_by_protocol);
    select(t, NULL);
    report(t, "must_tear", &r);
    if (!torn(&r))
        WEAK("the harness is blind: %llu rewrites that must tear, %llu executions, none torn",
             (unsigned long long)r.stores, (unsigned long long)r.executions);
}

TEST(poke, i24_control_bytewise,
     "a call that is rewritten byte by byte with nothing around it is seen to tear", .cpus = 2,
     .budget_ms = 120, .must_see = { { SEE_EXECUTIONS, 1 } })
{
    control_must_tear(t, &poke_fault_bytewise);
}

TEST(poke, i24_control_stores,
     "what bare stores of five and of eight bytes do to a call is recorded, and not judged",
     .cpus = 2, .budget_ms = 400, .must_see = { { SEE_EXECUTIONS, 1000 }, { SEE_PATCHES, 200 } })
{
    struct prng rng = test_prng(t);
    struct site_set set;
    struct result r;

    REQUIRE(site_set_build(&set, specs, 2, &rng));
    r = experiment(&set.sites[INSIDE], store_five);
    report(t, "five_bytes_inside_quadword", &r);
    r = experiment(&set.sites[ACROSS], store_five);
    report(t, "five_bytes_across_line", &r);
    r = experiment(&set.sites[INSIDE], store_eight);
    report(t, "quadword_aligned", &r);
    r = experiment(&set.sites[ACROSS], store_eight);
    report(t, "quadword_across_line", &r);
}

/* SPDX-License-Identifier: MIT */
/* A jump or call whose displacement is changed while other cores execute it; see tear_pads.h. */
#include "kernel/mm/mm.h"
#include "poke/poke.h"
#include "tests/errata/tear_bound.h"
#include "tests/errata/tear_pads.h"
#include "tests/errata/tear_race.h"
#include "tests/errata/tear_sweep.h"

#define REACH_PAGES 17u /* 64 KiB and more on either side */
#define SITE_PAGES  2u
#define SITE_LINE   0x800u
#define EDGE_BYTES  2u /* of the displacement before the page's edge */
#define CONTROL     "split-8x8"

/* ---- the reader ---- */

struct pads {
    struct tear_run run;
    unsigned chunk;
    uint64_t next; /* address after the displacement */
    uint8_t store[2][STORE_BYTES_MAX];
    uint64_t executions, seen, lost_way; /* lost_way: faults that no mixture explains */
    uint64_t masks[PADS_MASKS];          /* executions that differed from what was expected */
};

static void note(struct pads *p, unsigned mask)
{
    p->masks[mask]++;
    if (mask == PADS_OLD || mask == PADS_NEW) {
        p->seen += mask != p->run.expected_last;
        p->run.expected_last = mask;
    }
}

static void execute_jump(void *arg)
{
    struct pads *p = arg;

    p->run.count = p->chunk;
    tear_run(&p->run);
    p->executions += p->chunk - p->run.count;
    if (p->run.registers[0] < PADS_MASKS)
        note(p, (unsigned)p->run.registers[0]);
    else
        p->lost_way++;
}

static void note_fault(void *arg, const struct trap_caught *caught)
{
    struct pads *p = arg;
    uint64_t way = caught->rip - p->next;
    unsigned mask = (uint64_t)(int64_t)(int32_t)way == way ? pads_mask((uint32_t)way) : PADS_MASKS;

    if (caught->vector == TRAP_PF && mask < PADS_MASKS)
        note(p, mask);
    else
        p->lost_way++;
}

/* ---- the code ---- */

enum jump { JUMP_JMP, JUMP_CALL, JUMPS };
static const char *const jump_names[JUMPS] = { "jmp", "call" };
static const uint8_t jump_opcodes[JUMPS] = { 0xe9, 0xe8 };

static uint64_t region;

static bool allocate(void)
{
    if (!region)
        region = mm_text_alloc(2 * REACH_PAGES + SITE_PAGES);
    return region && tear_code_init();
}

static uint64_t address_of(unsigned placement)
{
    uint64_t pages = region + REACH_PAGES * PAGE_SIZE;

    return pages + (placement == PLACEMENT_PAGE ? PAGE_SIZE - EDGE_BYTES : SITE_LINE + placement);
}

/* mov eax, mask; ret */
static void write_pads(uint64_t next)
{
    for (unsigned mask = 0; mask < PADS_MASKS; mask++) {
        uint8_t pad[] = { 0xb8, (uint8_t)mask, 0, 0, 0, 0xc3 };
        uint64_t at = next + (uint64_t)(int64_t)(int32_t)pads_displacement(mask);

        if (pads_is_near(mask))
            text_poke_copy((void *)(uintptr_t)at, pad, sizeof pad);
    }
}

/* Behind the displacement stands the RET of a call's return; wider stores cover that as well. */
static void make_code(struct pads *p, struct tear_site *site, enum jump jump)
{
    static const uint8_t tail[] = { 0xc3, 0xcc, 0xcc, 0xcc };
    uint32_t displacements[2] = { pads_displacement(PADS_OLD), pads_displacement(PADS_NEW) };

    for (unsigned i = 0; i < 2; i++) {
        memcpy(p->store[i], &displacements[i], PADS_BYTES);
        memcpy(p->store[i] + PADS_BYTES, tail, sizeof tail);
    }
    *site = (struct tear_site){ .code = { jump_opcodes[jump] },
                                .code_bytes = 1 + PADS_BYTES + sizeof tail,
                                .store_at = 1,
                                .registers = 1 };
    memcpy(site->code + 1, p->store[0], site->code_bytes - 1);
}

/* ---- one cell ---- */

static const uint8_t *image_of_store(void *arg, uint64_t n)
{
    return ((const struct pads *)arg)->store[n & 1];
}

struct pads_sweep {
    struct test_run *t;
    const struct tear_sweep *sweep;
    struct tear_setup setup;
    enum jump jump;
    uint64_t ns; /* for each cell */
    unsigned unseen, control_blind;
};

static bool race(struct pads_sweep *o, struct pads *p, const struct store_kind *kind,
                 unsigned placement, uint64_t ns, struct writer *w)
{
    uint64_t address = address_of(placement);
    struct tear_race race = {
        .step = execute_jump, .on_fault = note_fault, .arg = p, .yields = o->setup.yields
    };
    struct tear_site site;

    *p = (struct pads){ .chunk = tear_chunk(&o->setup, TEAR_CALL), .next = address + PADS_BYTES };
    *w = (struct writer){ .kind = kind,
                          .to = address,
                          .image = image_of_store,
                          .arg = p,
                          .pace_ns = o->setup.pace_ns,
                          .random = { prng_next(&o->setup.random) } };
    write_pads(p->next);
    make_code(p, &site, o->jump);
    p->run.entry = tear_code_write(&site, TEAR_CALL, address);
    return tear_race(&race, o->setup.reader, w, ns);
}

static uint64_t torn_in(const struct pads *p)
{
    uint64_t torn = 0;

    for (unsigned i = PADS_OLD + 1; i < PADS_NEW; i++)
        torn += p->masks[i];
    return torn;
}

static struct promise promise_of(const struct pads_sweep *o, const struct store_kind *kind,
                                 unsigned placement)
{
    return promise_of_store(o->sweep->vendor, kind,
                            placement == PLACEMENT_PAGE ? CACHE_LINE - EDGE_BYTES : placement);
}

static void record(const struct pads_sweep *o, const struct pads *p, const struct store_kind *kind,
                   unsigned placement, const struct writer *w)
{
    struct json *j = tear_record_begin(o->t, "cell");

    json_string(j, "transition", jump_names[o->jump]);
    json_string(j, "store", kind->name);
    json_uint(j, "placement", placement);
    json_string(j, "vendor", promise_name(promise_of(o, kind, placement).kind));
    json_uint(j, "executions", p->executions);
    json_uint(j, "stores", w->stores);
    json_uint(j, "seen", p->seen);
    json_uint(j, "torn", torn_in(p));
    json_uint(j, "torn_high_e12", rate_bounds(torn_in(p), p->seen + torn_in(p)).high);
    json_uint(j, "lost_way", p->lost_way);
    json_array(j, "masks");
    for (unsigned i = 0; i < PADS_MASKS && torn_in(p); i++)
        json_uint(j, NULL, p->masks[i]);
    json_array_end(j);
    tear_record_end(j);
}

static void judge(struct pads_sweep *o, const struct pads *p, const struct store_kind *kind,
                  unsigned placement, const struct writer *w)
{
    struct test_run *t = o->t;
    struct promise promise = promise_of(o, kind, placement);

    if (w->lost)
        FAIL("%s at %u: memory does not hold what was stored last", kind->name, placement);
    if (promise.kind == PROMISE_WHOLE && (torn_in(p) || p->lost_way))
        FAIL("%s, %s at %u: %llu jumps to a mixture of targets, %llu elsewhere, in %llu changes; "
             "guaranteed: %s",
             jump_names[o->jump], kind->name, placement, (unsigned long long)torn_in(p),
             (unsigned long long)p->lost_way, (unsigned long long)p->seen, promise.source);
    saw(SEE_EXECUTIONS, p->executions);
    saw(SEE_OVERLAPS, p->seen);
    o->unseen += p->seen == 0;
    o->control_blind += kind == store_kind_find(CONTROL) && torn_in(p) == 0;
}

static bool is_enough(const struct store_kind *kind, const struct pads *p)
{
    return p->seen && (kind != store_kind_find(CONTROL) || torn_in(p));
}

static void visit(void *arg, const struct store_kind *kind, enum tear_state state,
                  unsigned placement)
{
    static struct pads p;
    struct pads_sweep *o = arg;
    struct test_run *t = o->t;
    struct writer w;

    (void)state;
    p.seen = 0;
    for (unsigned try = 0; try < TEAR_TRIES && !is_enough(kind, &p); try++) {
        if (!race(o, &p, kind, placement, o->ns << try, &w)) {
            ERROR("text cannot be written for a cell");
            return;
        }
    }
    record(o, &p, kind, placement, &w);
    judge(o, &p, kind, placement, &w);
}

/* ---- the sweep ---- */

static void visit_all(struct pads_sweep *o, uint64_t jumps)
{
    for (unsigned i = 0; i < JUMPS; i++) {
        o->jump = (enum jump)i;
        for (unsigned bytes = 4; bytes <= 8 && jumps >> i & 1; bytes *= 2)
            tear_sweep_visit(o->sweep, bytes, visit, o);
    }
}

TEST(errata, displacement,
     "a jump whose displacement is changed by one atomic store goes to the old or the new target",
     .cpus = 2, .budget_ms = 500, .default_ms = 1000,
     .must_see = { { SEE_EXECUTIONS, 10000 }, { SEE_OVERLAPS, 500 } })
{
    static const struct levels transitions = { "transition", jump_names, JUMPS };
    struct tear_sweep sweep;
    struct pads_sweep o = { .t = t, .sweep = &sweep };
    uint64_t jumps;

    if (!tear_sweep_choose(t, &sweep) || !tear_sweep_setup_first(t, &sweep, &o.setup) ||
        !levels_wanted(t, &transitions, test_words()->transition, &jumps))
        return;
    tear_sweep_narrow(&sweep);
    sweep.states = 1u << TEAR_CALL;
    unsigned cells =
        tear_sweep_visit(&sweep, 4, NULL, NULL) + tear_sweep_visit(&sweep, 8, NULL, NULL);

    if (cells == 0 || !allocate()) {
        SKIP("no store of 4 or 8 bytes is asked for that can go to these places");
        return;
    }
    cells *= jumps == 3 ? 2 : 1;
    o.ns = tear_sweep_cell_ns(t, cells);
    json_uint(&t->data, "reader_core", o.setup.reader);
    json_uint(&t->data, "cell_us", o.ns / 1000);
    json_uint(&t->data, "cells", cells);
    visit_all(&o, jumps);
    if (o.control_blind)
        WEAK("blind: stores in pieces did not tear in %u cells", o.control_blind);
    if (o.unseen)
        WEAK("%u of %u cells saw no change of their code", o.unseen, cells);
}

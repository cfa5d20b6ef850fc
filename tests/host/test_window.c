/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/window.c, unchanged, on the adversarial MMU of tests/host/mmu.h, in all its modes.
 *
 * Claimed of every opening, by any core, after any openings by any cores:
 *   - a store lands in the frame of the page that was asked for, and nothing else changes;
 *   - interrupts are off and no breakpoint register is armed while it is open;
 *   - no other core can use the window, then or later;
 *   - once it is closed no core can, neither under the root that it runs on nor, since the tables
 *     are empty, by a new walk. CR3, DR7 and the interrupt flag are as they were, bit for bit;
 *   - it costs two loads of CR3, and INVLPG for each page in the no-flush mode and in no other.
 *
 * Left in a TLB, once it is closed: without PCIDs and in the no-flush mode nothing; in the mode
 * between, the translations of the last opening by that core under the window's PCID, which no
 * root but the window's has. They are harmless for just as long as the next opening drops them.
 */
#include "tests/host/host_test.h"

#include "kernel/mm/tables.h"
#include "kernel/trap/trap.h"
#include "poke/machine.h"
#include "smp/smp.h"
#include "tests/host/mmu.h"

#define TEXT_PAGES     600
#define FORBIDDEN_PAGE 599 /* of the text: not patchable */
#define WINDOW_BYTES   (MACHINE_WINDOW_PAGES * MMU_PAGE)
#define WINDOW_PCID    1
#define DR7_ENABLES    0xffull

static uint64_t kernel_root;
static uint64_t text_frames[TEXT_PAGES];
static uint8_t wanted[TEXT_PAGES][MMU_PAGE]; /* what the frames must hold */
static struct prng rng;
static enum mm_window_mode mode;

/* ---- what window.c and tables.c ask of the rest of the kernel ---- */

uint64_t mm_root(void)
{
    return kernel_root;
}

uint64_t pages_alloc(size_t n)
{
    assert_int_equal(n, 1);
    return mmu_frame();
}

uint64_t rdtsc(void)
{
    return prng_next(&rng);
}

static uintptr_t text_page(unsigned page)
{
    return MM_TEXT_BASE + page * MMU_PAGE;
}

bool machine_is_patchable(uintptr_t addr, size_t len)
{
    return addr >= MM_TEXT_BASE && addr + len <= text_page(FORBIDDEN_PAGE);
}

void panic(const struct trap_frame *frame, const char *fmt, ...)
{
    (void)frame;
    fail_msg("panic: %s", fmt);
    abort();
}

void smp_tlb_flush(void)
{
    fail_msg("an interrupt was sent");
}

/* ---- the machine ---- */

/* Text in frames that are in no order; the window where this process has room for it. */
static void boot(enum mm_window_mode wanted_mode)
{
    mmu_reset();
    rng = prng_stream(FUZZ_SEED, 7);
    mode = wanted_mode;
    kernel_root = pages_alloc(1);
    for (unsigned i = 0; i < TEXT_PAGES; i++)
        text_frames[i] = mmu_frame();
    for (unsigned i = TEXT_PAGES; i > 1; i--) {
        unsigned other = prng_below(&rng, i);
        uint64_t frame = text_frames[i - 1];

        text_frames[i - 1] = text_frames[other];
        text_frames[other] = frame;
    }
    for (unsigned i = 0; i < TEXT_PAGES; i++)
        assert_true(tables_map(kernel_root, text_page(i), text_frames[i], 1, MM_X));
    memset(wanted, 0, sizeof(wanted));

    mmu_write_cr3(kernel_root);
    do
        window_init(kernel_root);
    while (!mmu_watch(mm_window_base(), WINDOW_BYTES));
    assert_true(mm_window_select(mode));
    for (unsigned i = 1; i < MMU_CORES; i++) { /* the others start as the first one is */
        mmu_cores[i].cr3 = mmu_cores[0].cr3;
        mmu_cores[i].cr4 = mmu_cores[0].cr4;
    }
}

struct store {
    struct machine_window *window;
    size_t offset, len;
    uint8_t bytes[16];
};

static void store(void *arg)
{
    struct store *s = arg;

    machine_window_store(s->window, s->offset, s->bytes, s->len);
}

/* Can `core` write to page `i` of the window? */
static bool can_write(unsigned core, struct machine_window *w, size_t i)
{
    struct store s = { w, i * MMU_PAGE, 1, { 0 } };
    unsigned me = mmu_core;
    bool can;

    mmu_core = core;
    can = mmu_try(store, &s);
    mmu_core = me;
    return can;
}

/* May a core use a translation of a page of the window, under its root and PCID of now? */
static bool may_use(const struct mmu_core *core)
{
    for (uint64_t at = 0; at < WINDOW_BYTES; at += MMU_PAGE)
        if (tlb_next(&core->tlb, (mm_window_base() + at) / MMU_PAGE, mmu_pcid(core), NULL))
            return true;
    return false;
}

static bool holds_any(const struct mmu_core *core)
{
    for (uint64_t at = 0; at < WINDOW_BYTES; at += MMU_PAGE)
        if (tlb_holds(&core->tlb, (mm_window_base() + at) / MMU_PAGE))
            return true;
    return false;
}

static void expect_text(void)
{
    for (unsigned i = 0; i < TEXT_PAGES; i++)
        assert_memory_equal((void *)text_frames[i], wanted[i], MMU_PAGE);
}

static void expect_open(struct machine_window *w)
{
    assert_false(mmu_cores[mmu_core].interrupts);
    assert_int_equal(mmu_cores[mmu_core].dr7 & DR7_ENABLES, 0);
    for (unsigned i = 0; i < MMU_CORES; i++) {
        if (i == mmu_core)
            continue;
        assert_false(may_use(&mmu_cores[i]));
        assert_false(can_write(i, w, 0));
    }
    if (w->pages < MACHINE_WINDOW_PAGES) /* shown by an earlier opening, if at all */
        assert_false(can_write(mmu_core, w, w->pages));
}

static void expect_closed(struct machine_window *w)
{
    uint64_t span;

    mmu_speculate();
    for (uint64_t at = 0; at < WINDOW_BYTES; at += MMU_PAGE)
        assert_null(leaf_find(window_root(), mm_window_base() + at, &span));
    for (unsigned i = 0; i < MMU_CORES; i++) {
        assert_false(may_use(&mmu_cores[i]));
        assert_false(can_write(i, w, 0));
        if (mode != WINDOW_PCID_ON)
            assert_false(holds_any(&mmu_cores[i]));
    }
}

/* Store at random in the pages from `i` on, into the next one too if it is shown. */
static void store_somewhere(struct machine_window *w, const unsigned *pages, unsigned i)
{
    struct store s = { .window = w, .len = 1 + prng_below(&rng, 8) };
    bool last = i + 1 == w->pages;
    size_t in_page = prng_below(&rng, 4) || last ? prng_below(&rng, MMU_PAGE - 8) : MMU_PAGE - 4;

    s.offset = i * MMU_PAGE + in_page;
    for (size_t k = 0; k < s.len; k++) {
        size_t at = in_page + k;

        s.bytes[k] = (uint8_t)prng_next(&rng);
        wanted[pages[i + at / MMU_PAGE]][at % MMU_PAGE] = s.bytes[k];
    }
    assert_true(mmu_try(store, &s));
}

/* One opening by one core on `n` ascending pages of the text. */
static void open_store_close(unsigned core, const unsigned *pages, unsigned n)
{
    struct machine_window w = { 0 };
    uintptr_t addresses[MACHINE_WINDOW_PAGES];
    struct mmu_core *c = &mmu_cores[core];

    mmu_core = core;
    uint64_t cr3 = c->cr3, dr7 = c->dr7;
    unsigned loads = c->root_loads, invalidations = c->invalidations;
    bool interrupts = c->interrupts;

    for (unsigned i = 0; i < n; i++)
        addresses[i] = text_page(pages[i]);
    assert_true(machine_window_open(&w, addresses, n));
    expect_open(&w);
    for (unsigned i = 0; i < n; i++)
        store_somewhere(&w, pages, i);
    assert_false(c->interrupts);
    machine_window_close(&w);

    assert_int_equal(c->cr3, cr3);
    assert_int_equal(c->dr7, dr7);
    assert_int_equal(c->interrupts, interrupts);
    expect_closed(&w);
    expect_text();
    assert_int_equal(c->root_loads - loads, 2);
    assert_int_equal(c->invalidations - invalidations, mode == WINDOW_PCID_NO_FLUSH ? n : 0);
}

/* ---- the tests, each in every mode ---- */

static void two_pages_that_take_turns(void)
{
    static const unsigned a[] = { 3, 4 }, b[] = { 90, 400 }, c[] = { 4 };

    for (unsigned i = 0; i < 4; i++) {
        open_store_close(0, a, 2);
        open_store_close(0, b, 2);
        open_store_close(0, c, 1);
    }
}

static void cores_that_take_turns(void)
{
    static const unsigned sets[3][2] = { { 3, 4 }, { 4, 5 }, { 90, 400 } };

    for (unsigned i = 0; i < 60; i++)
        open_store_close(prng_below(&rng, MMU_CORES), sets[prng_below(&rng, 3)], 2);
}

static void any_pages_by_any_core(void)
{
    for (unsigned i = 0; i < 60; i++) {
        unsigned pages[8], n = 1 + prng_below(&rng, 8), from = prng_below(&rng, 100);

        for (unsigned k = 0; k < n; k++) {
            from += 1 + prng_below(&rng, 60);
            pages[k] = from;
        }
        open_store_close(prng_below(&rng, MMU_CORES), pages, n);
    }
}

/* All pages at once, then few of them: what is not shown any more cannot be written to. */
static void a_full_window(void)
{
    static unsigned pages[MACHINE_WINDOW_PAGES];
    static const unsigned few[] = { 7 };

    for (unsigned i = 0; i < MACHINE_WINDOW_PAGES; i++)
        pages[i] = i + 20;
    open_store_close(1, pages, MACHINE_WINDOW_PAGES);
    open_store_close(1, few, 1);
    for (unsigned i = 0; i < MACHINE_WINDOW_PAGES; i++)
        pages[i] = i + 10;
    open_store_close(1, pages, MACHINE_WINDOW_PAGES);
}

/* Whatever the registers hold: an armed breakpoint, interrupts off, bits of CR3 below the root. */
static void registers_come_back(void)
{
    static const unsigned pages[] = { 3, 90 };
    uint64_t low_bits = mode == WINDOW_PCID_OFF ? 0x18 : 0x5; /* PWT and PCD; a PCID */

    for (unsigned i = 0; i < 16; i++) {
        struct mmu_core *core = &mmu_cores[i % MMU_CORES];

        core->dr7 = i & 1 ? 0x400 : i & 2 ? 0xd0600 | 1 << i / 2 : 0x7ff;
        core->interrupts = i & 4;
        core->cr3 = kernel_root | (i & 8 ? low_bits : 0);
        open_store_close(i % MMU_CORES, pages, 2);
    }
}

static void a_window_that_cannot_open(void)
{
    struct machine_window w = { .view = (uint8_t *)mm_window_base() };
    uintptr_t pages[MACHINE_WINDOW_PAGES + 1];

    for (unsigned i = 0; i <= MACHINE_WINDOW_PAGES; i++)
        pages[i] = text_page(i);
    assert_false(machine_window_open(&w, pages, 0));
    assert_false(machine_window_open(&w, pages, MACHINE_WINDOW_PAGES + 1));
    pages[1] = text_page(FORBIDDEN_PAGE);
    assert_false(machine_window_open(&w, pages, 2));
    assert_int_equal(mmu_cores[0].cr3, kernel_root);
    assert_true(mmu_cores[0].interrupts);
    expect_closed(&w);
    expect_text();
}

/* The counts that tests on the machine itself rely on are what the cores have executed. */
static void costs_are_counted(void)
{
    static const unsigned pages[] = { 3, 4, 90 };
    struct mm_window_counts before = *mm_window_counts();

    for (unsigned i = 0; i < 6; i++)
        open_store_close(i % MMU_CORES, pages, 3);
    assert_int_equal(mm_window_counts()->openings - before.openings, 6);
    assert_int_equal(mm_window_counts()->root_loads - before.root_loads, 12);
    assert_int_equal(mm_window_counts()->invalidations - before.invalidations,
                     mode == WINDOW_PCID_NO_FLUSH ? 18 : 0);
}

/* The adversary is awake: where the mode lets a translation stay, it has stayed. */
static void the_tlb_keeps_what_it_may(void)
{
    static const unsigned pages[] = { 3, 4 };

    open_store_close(2, pages, 2);
    assert_int_equal(holds_any(&mmu_cores[2]), mode == WINDOW_PCID_ON);
    assert_int_equal(tlb_next(&mmu_cores[2].tlb, mm_window_base() / MMU_PAGE, WINDOW_PCID, NULL) !=
                         NULL,
                     mode == WINDOW_PCID_ON);
}

#define IN_EVERY_MODE(body)                                                                        \
    static void body##_pcid_off(void **state)                                                      \
    {                                                                                              \
        (void)state;                                                                               \
        boot(WINDOW_PCID_OFF);                                                                     \
        body();                                                                                    \
    }                                                                                              \
    static void body##_pcid_on(void **state)                                                       \
    {                                                                                              \
        (void)state;                                                                               \
        boot(WINDOW_PCID_ON);                                                                      \
        body();                                                                                    \
    }                                                                                              \
    static void body##_pcid_no_flush(void **state)                                                 \
    {                                                                                              \
        (void)state;                                                                               \
        boot(WINDOW_PCID_NO_FLUSH);                                                                \
        body();                                                                                    \
    }

IN_EVERY_MODE(two_pages_that_take_turns)
IN_EVERY_MODE(cores_that_take_turns)
IN_EVERY_MODE(any_pages_by_any_core)
IN_EVERY_MODE(a_full_window)
IN_EVERY_MODE(registers_come_back)
IN_EVERY_MODE(a_window_that_cannot_open)
IN_EVERY_MODE(costs_are_counted)
IN_EVERY_MODE(the_tlb_keeps_what_it_may)

#define all_modes(body)                                                                            \
    cmocka_unit_test(body##_pcid_off), cmocka_unit_test(body##_pcid_on),                           \
        cmocka_unit_test(body##_pcid_no_flush)

int main(void)
{
    const struct CMUnitTest tests[] = {
        all_modes(two_pages_that_take_turns), all_modes(cores_that_take_turns),
        all_modes(any_pages_by_any_core),     all_modes(a_full_window),
        all_modes(registers_come_back),       all_modes(a_window_that_cannot_open),
        all_modes(costs_are_counted),         all_modes(the_tlb_keeps_what_it_may),
    };

    return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * I25: patcher, trap entries and interrupt handlers are not patchable, by any entry point; and, the
 * other way round, what they execute on their way is none of the text that can be patched: else a
 * patch could meet its own INT3. (Linux d35652a5fc99, 2023: code that patches depended on code
 * that was being patched.)
 */
#include "tests/poke/self_reference.h"

#include "kernel/lib/fixed_text.h"
#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "poke/poke.h"
#include "tests/lib/others.h"
#include "tests/lib/site.h"
#include "tests/lib/stepping.h"

/* ---- refused by address ---- */

/* From the link map, and kernel/trap/stubs.asm. */
extern uint8_t image_end[], text_start[], text_patchable[], text_end[];
extern const uint8_t trap_stubs[], trap_bp_entry[], trap_nmi_entry[];

static uint8_t *pending;  /* a site of our own */
static uint8_t bytes[16]; /* what is written: what stands there already */

static enum poke_error poke(void *addr, size_t len)
{
    return text_poke(addr, bytes, len);
}

static enum poke_error copy(void *addr, size_t len)
{
    text_mutex_unlock();
    enum poke_error e = text_poke_copy(addr, bytes, len);
    text_mutex_lock();
    return e;
}

static enum poke_error set(void *addr, size_t len)
{
    text_mutex_unlock();
    enum poke_error e = text_poke_set(addr, INT3_INSN_OPCODE, len);
    text_mutex_lock();
    return e;
}

static enum poke_error early(void *addr, size_t len)
{
    text_mutex_unlock();
    enum poke_error e = text_poke_early(addr, bytes, len);
    text_mutex_lock();
    return e;
}

static enum poke_error single(void *addr, size_t len)
{
    return smp_text_poke_single(addr, poke_nop5, len, NULL);
}

static enum poke_error add(void *addr, size_t len)
{
    return smp_text_poke_batch_add(addr, poke_nop5, len, NULL, NULL);
}

/* Each with text_mutex held, as it is without. */
static const struct {
    const char *name;
    enum poke_error (*write)(void *addr, size_t len);
} entries[] = {
    { "text_poke", poke },
    { "text_poke_copy", copy },
    { "text_poke_set", set },
    { "text_poke_early", early },
    { "smp_text_poke_single", single },
    { "smp_text_poke_batch_add", add },
};

static void must_refuse(struct test_run *t, const char *what, uint64_t addr)
{
    text_mutex_lock();
    for (unsigned i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        uint64_t batches = poke_counters()->batches;

        /* A refusal leaves what is pending as it is. */
        EXPECT_EQ(smp_text_poke_batch_add(pending, poke_nop5, 5, NULL, NULL), POKE_OK);
        enum poke_error e = entries[i].write((void *)addr, 5);
        if (e != POKE_E_ADDRESS)
            FAIL("%s of %s at 0x%llx: %s", entries[i].name, what, (unsigned long long)addr,
                 poke_error_text(e));
        EXPECT_EQ(poke_counters()->batches, batches);
        EXPECT_EQ(smp_text_poke_batch_finish(), POKE_OK);
        saw(SEE_PATCHES, 1);
    }
    text_mutex_unlock();
}

/* Does any range of these pages begin as patchable? Byte by byte where `step` is 1. */
static void must_not_be_patchable(struct test_run *t, const char *what, uint64_t begin,
                                  uint64_t end, uint64_t step)
{
    for (uint64_t addr = begin; addr < end; addr += step) {
        if (!machine_is_patchable(addr, 1))
            continue;
        FAIL("%s: 0x%llx can be patched", what, (unsigned long long)addr);
        return;
    }
}

TEST_BARE(
    "an image and page tables of its own", poke, i25_self_reference,
    "no entry point writes to the engine, to trap and interrupt code, or beyond patchable text",
    .budget_ms = 200, .must_see = { { SEE_PATCHES, 60 } })
{
    pending = (uint8_t *)mm_text_alloc(1);
    uint64_t text = mm_text_alloc(1), window = mm_window_base(); /* the last page of text */

    REQUIRE(pending && text);
    uint64_t alias = (uint64_t)phys_to_virt(mm_translate(text));

    must_not_be_patchable(t, "the kernel's fixed text", (uint64_t)text_start,
                          (uint64_t)text_patchable, 1);
    must_not_be_patchable(t, "the kernel's data", (uint64_t)text_end, (uint64_t)image_end,
                          PAGE_SIZE);
    must_not_be_patchable(t, "low memory, where cores start", 0, 1ull << 20, PAGE_SIZE);
    must_not_be_patchable(t, "the window", window, window + MACHINE_WINDOW_PAGES * PAGE_SIZE,
                          PAGE_SIZE);
    must_not_be_patchable(t, "text's direct map", alias, alias + PAGE_SIZE, 1);
    EXPECT(!machine_is_patchable(text, SIZE_MAX));        /* wraps */
    EXPECT(!machine_is_patchable(text, SIZE_MAX - text)); /* ends at the last byte of all */
    if (t->verdict != VERDICT_PASS)
        return; /* a write would be done */

    const struct {
        const char *what;
        uint64_t addr;
    } addresses[] = {
        { "the engine", (uint64_t)smp_text_poke_batch_finish },
        { "the #BP handler", (uint64_t)smp_text_poke_int3_handler },
        { "the #BP entry", (uint64_t)trap_bp_entry },
        { "the NMI entry", (uint64_t)trap_nmi_entry },
        { "the interrupt entries", (uint64_t)trap_stubs + 16 * VECTOR_SYNC },
        { "the recovery", (uint64_t)trap_try },
        { "core sync", (uint64_t)sync_core },
        { "the window's code", (uint64_t)machine_window_store },
        { "the window", window },
        { "text's direct map", alias },
        { "what lies before patchable text", MM_TEXT_BASE - 1 },
        { "what lies behind patchable text", text + PAGE_SIZE - 4 },
    };
    for (unsigned i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        void *addr = (void *)addresses[i].addr;
        bool readable = mm_translate(addresses[i].addr) != UINT64_MAX &&
                        mm_translate(addresses[i].addr + 4) != UINT64_MAX;

        if (readable)
            memcpy(bytes, addr, 5);
        must_refuse(t, addresses[i].what, addresses[i].addr);
        if (readable)
            EXPECT_EQ(memcmp(bytes, addr, 5), 0);
    }
}

/* ---- what is executed on the way ---- */

#define PATCHES 3

/* The boot core writes the site; every core adds to the counts. */
static struct {
    struct site *site;
    bool calls_site;
    enum poke_error error;
    uint64_t patcher_steps, handler_steps;
    uint32_t breakpoints, syncs; /* handlers stepped */
    uint64_t patchable;          /* steps in patchable text */
    uint64_t first;              /* the address of one of them */
    uint32_t executing;          /* other cores that have begun; they count it up */
} path;

static trap_handler bp_handler, sync_handler_;

/* #DB itself is one level of nesting: below it is the patcher's thread, or a handler. */
static void on_step(const struct trap_frame *frame)
{
    fetch_add(trap_depth() > 1 ? &path.handler_steps : &path.patcher_steps, 1);
    if (!machine_is_patchable(frame->rip, 1))
        return;
    path.first = frame->rip;
    fetch_add(&path.patchable, 1);
}

FIXED_TEXT static uint64_t call_bp_handler(void *frame)
{
    return bp_handler(frame);
}

static bool step_bp(struct trap_frame *frame)
{
    fetch_add(&path.breakpoints, 1);
    return step_call(call_bp_handler, frame);
}

FIXED_TEXT static uint64_t call_sync_handler(void *frame)
{
    return sync_handler_(frame);
}

static bool step_sync(struct trap_frame *frame)
{
    fetch_add(&path.syncs, 1);
    return step_call(call_sync_handler, frame);
}

FIXED_TEXT static uint64_t patch(void *version)
{
    struct site *s = path.site;
    const struct site_image *image = &s->image[*(unsigned *)version % s->images];

    text_mutex_lock();
    path.error = smp_text_poke_single(s->slot, image->bytes, s->len, NULL);
    text_mutex_unlock();
    if (path.calls_site)
        site_call(s->entry, 0);
    return 0;
}

static void execute_loop(__attribute__((unused)) void *arg)
{
    fetch_add(&path.executing, 1);
    while (others_go_on()) {
        site_call(path.site->entry, 0);
        cpu_relax();
    }
}

void step_through_patches(struct test_run *t, bool calls_site)
{
    static const struct site_spec spec = { SITE_5_CALL, 0x33e };
    struct prng rng = test_prng(t);
    struct site_set set;

    memset(&path, 0, sizeof path);
    REQUIRE(site_set_build(&set, &spec, 1, &rng));
    path.site = set.sites;
    path.calls_site = calls_site;
    stepping_begin(on_step);
    bp_handler = trap_set_handler(TRAP_BP, NULL);
    trap_set_handler(TRAP_BP, step_bp);
    sync_handler_ = trap_set_handler(VECTOR_SYNC, NULL);
    trap_set_handler(VECTOR_SYNC, step_sync);
    unsigned started = others_start(t, 0, execute_loop, NULL);
    while (load_acquire(&path.executing) != started)
        cpu_relax(); /* one that still waits for work would not be asked */
    for (unsigned version = 1; version <= PATCHES && path.error == POKE_OK; version++)
        step_call(patch, &version);
    others_stop();
    trap_set_handler(VECTOR_SYNC, sync_handler_);
    trap_set_handler(TRAP_BP, bp_handler);
    stepping_end();

    EXPECT_EQ(path.error, POKE_OK);
    if (path.patchable)
        FAIL("%llu steps were in patchable text, one at 0x%llx", (unsigned long long)path.patchable,
             (unsigned long long)path.first);
    json_uint(&t->data, "patcher_steps", path.patcher_steps);
    json_uint(&t->data, "handler_steps", path.handler_steps);
    saw(SEE_PATCHES, PATCHES);
    saw(SEE_INT3_HITS, path.breakpoints);
    saw(SEE_IPIS, path.syncs);
}

TEST_BARE(
    "an image and page tables of its own", poke, i25_path_is_not_patchable,
    "no instruction that a patch, its #BP handlers and its sync handlers execute can be patched",
    .cpus = 2, .budget_ms = 150,
    .must_see = { { SEE_PATCHES, PATCHES }, { SEE_INT3_HITS, 3 }, { SEE_IPIS, 3 * PATCHES } })
{
    step_through_patches(t, false);
}

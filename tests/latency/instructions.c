/* SPDX-License-Identifier: MIT */
/*
 * Instructions per operation of the engine, exactly: under QEMU's `-icount` the time stamp counter
 * advances by a fixed number of ticks with each instruction, and one core executes nothing else
 * meanwhile. It is the measurement that a noisy machine cannot disturb (./run.sh bench-count).
 *
 * What a site of a batch costs is what one site more adds, and what a pass through an armed site
 * costs is what it takes longer than the same call of the same site with a CALL in it, as in the
 * published numbers of Linux that it is compared with. The order check is off: it comes after the
 * batch and is no part of a patch.
 */
#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "kernel/time/time.h"
#include "poke/event_log.h"
#include "poke/poke.h"
#include "poke/table.h"
#include "smp/smp.h"
#include "smp/watchdog.h"
#include "tests/lib/figure.h"
#include "tests/lib/site.h"

#define REPEATS    8
#define ARRAY      TEXT_POKE_ARRAY_MAX
#define SITE_BYTES 8 /* from one site to the next */

/* Made by prepare(): sites of five bytes side by side, and before them a function to call. */
static uint8_t *text;
static uint8_t calls[ARRAY][CALL_INSN_SIZE];

static uint8_t *site(unsigned i)
{
    return text + 64 + i * SITE_BYTES;
}

/* text: RET. Each site: NOP5 and RET, in eight bytes. */
static bool prepare(void)
{
    static uint8_t page[MACHINE_PAGE];
    size_t len;

    text = (uint8_t *)mm_text_alloc(1);
    if (!text)
        return false;
    memset(page, INT3_INSN_OPCODE, sizeof page);
    page[0] = RET_INSN_OPCODE;
    for (unsigned i = 0; i < ARRAY; i++) {
        size_t at = (size_t)(site(i) - text);

        memcpy(page + at, poke_nop5, sizeof poke_nop5);
        page[at + sizeof poke_nop5] = RET_INSN_OPCODE;
        if (text_gen_insn(CALL_INSN_OPCODE, site(i), text, calls[i], &len))
            return false;
    }
    return !text_poke_copy(text, page, sizeof page);
}

/* ---- operations; `n` sites become CALL, or NOP again if `back` ---- */

struct op {
    unsigned n;
    bool back;
    bool failed;
};

static const uint8_t *image(const struct op *op, unsigned i)
{
    return op->back ? poke_nop5 : calls[i];
}

static void nothing(__attribute__((unused)) struct op *op)
{
}

static void sync(__attribute__((unused)) struct op *op)
{
    sync_core();
}

static void sync_all(__attribute__((unused)) struct op *op)
{
    smp_text_poke_sync_each_cpu();
}

static void poke_bytes(struct op *op)
{
    op->failed |= text_poke(site(0), image(op, 0), op->n) != POKE_OK;
}

static void patch_one(struct op *op)
{
    op->failed |= smp_text_poke_single(site(0), image(op, 0), CALL_INSN_SIZE, NULL) != POKE_OK;
}

static void patch_batch(struct op *op)
{
    for (unsigned i = 0; i < op->n; i++)
        op->failed |=
            smp_text_poke_batch_add(site(i), image(op, i), CALL_INSN_SIZE, NULL, NULL) != POKE_OK;
    op->failed |= smp_text_poke_batch_finish() != POKE_OK;
}

static void call_site(__attribute__((unused)) struct op *op)
{
    __asm__ volatile("call *%0" ::"r"(site(0))
                     : "memory", "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "cc");
}

/* ---- measuring ---- */

static uint64_t scale; /* ticks per instruction */

__attribute__((noinline)) static uint64_t instructions(void (*fn)(struct op *), struct op *op)
{
    uint64_t begin = rdtsc();

    fn(op);
    return (rdtsc() - begin) / scale;
}

struct range {
    uint64_t min, max;
};

/* A patch is measured in both directions, each time from the other image. */
static struct range measure(void (*fn)(struct op *), unsigned n, bool alternate)
{
    struct range r = { .min = UINT64_MAX };
    struct op op = { .n = n };

    for (unsigned i = 0; i < REPEATS; i++) {
        op.back = false;
        uint64_t overhead = instructions(nothing, &op);
        uint64_t took = instructions(fn, &op) - overhead;

        if (alternate) {
            op.back = true;
            fn(&op);
        }
        r.min = took < r.min ? took : r.min;
        r.max = took > r.max ? took : r.max;
    }
    if (op.failed)
        r.max = UINT64_MAX;
    return r;
}

/* A loop of two instructions a turn. */
static uint64_t loop(uint64_t turns)
{
    uint64_t begin = rdtsc();

    __asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(turns)::"cc");
    return rdtsc() - begin;
}

/* Ticks of the counter in an instruction: always the same number, else 0. */
static uint64_t ticks_per_instruction(void)
{
    uint64_t ticks = loop(1000) - loop(500);

    for (unsigned i = 0; i < REPEATS; i++)
        if (loop(1000) - loop(500) != ticks)
            return 0;
    return ticks % 1000 ? 0 : ticks / 1000;
}

/* The pass through a site that is armed, the last of a table of `n`. */
static struct range int3_pass(unsigned n, struct range plain)
{
    struct range armed = { 0 };

    for (unsigned i = 0; i < n; i++) {
        struct poke_entry *e = &poke_table->entries[i];

        e->addr = (uintptr_t)site(i);
        e->len = CALL_INSN_SIZE;
        if (poke_insn_decode(e->addr, calls[i], CALL_INSN_SIZE, &e->emulate))
            return (struct range){ 0, UINT64_MAX };
    }
    poke_table->count = n;
    poke_table_publish(poke_table);
    text_poke(site(0), (const uint8_t[]){ INT3_INSN_OPCODE }, 1);
    armed = measure(call_site, 0, false);
    text_poke(site(0), calls[0], 1);
    poke_table_retire(poke_table);
    poke_table->count = 0;
    return (struct range){ armed.min - plain.min, armed.max - plain.max };
}

static void figure(struct test_run *t, const char *name, struct range r)
{
    if (r.min != r.max)
        FAIL("%s: between %llu and %llu instructions: not repeatable, or an operation failed", name,
             (unsigned long long)r.min, (unsigned long long)r.max);
    figure_count(t, name, "instructions", r.min * 1000);
}

static struct range per_further_site(struct range many, struct range one, unsigned further)
{
    return (struct range){ (many.min - one.min) / further, (many.max - one.max) / further };
}

/* Where they go: of each step of one more patch, up to the end of the step. */
static void report_steps(struct test_run *t)
{
    struct op op = { .n = 1 };

    patch_one(&op);
    const struct poke_timing *timing = poke_last_timing();
    uint64_t before = timing->begin;

    json_array(&t->data, "steps_of_single_patch");
    for (unsigned i = 0; i < timing->steps; i++) {
        json_uint(&t->data, NULL, timing->end[i] ? (timing->end[i] - before) / scale : 0);
        before = timing->end[i] ? timing->end[i] : before;
    }
    json_array_end(&t->data);
}

static void report(struct test_run *t)
{
    struct range one = measure(patch_batch, 1, true), many = measure(patch_batch, ARRAY, true);

    figures_begin(t);
    figure(t, "instructions.sync_core", measure(sync, 0, false));
    figure(t, "instructions.sync_all_one_core", measure(sync_all, 0, false));
    figure(t, "instructions.text_poke_1", measure(poke_bytes, 1, true));
    figure(t, "instructions.text_poke_5", measure(poke_bytes, CALL_INSN_SIZE, true));
    figure(t, "instructions.single_patch", measure(patch_one, 1, true));
    figure(t, "instructions.batch_16", measure(patch_batch, 16, true));
    figure(t, "instructions.batch_256", many);
    figure(t, "instructions.further_site", per_further_site(many, one, ARRAY - 1));
    measure(patch_one, 1, false); /* a CALL from here on */
    struct range plain = measure(call_site, 0, false);
    figure(t, "instructions.int3_pass", int3_pass(1, plain));
    figure(t, "instructions.int3_pass_of_256", int3_pass(ARRAY, plain));
    figures_end(t);
    report_steps(t);
}

TEST(latency, instructions, "instructions that each operation of the engine executes",
     .budget_ms = 200)
{
    if (smp_online() > 1) {
        SKIP("needs a machine of one core, so that nothing else counts");
        return;
    }
    smp_timer_start(0);
    scale = ticks_per_instruction();
    if (!scale) {
        SKIP("the time stamp counter does not count instructions here: needs ./run.sh bench-count");
    } else if (!prepare()) {
        FAIL("no text to patch");
    } else {
        text_mutex_lock();
        poke_order_check_enable(false);
        report(t);
        poke_order_check_enable(true);
        text_mutex_unlock();
    }
    watchdog_start_core();
}

/* SPDX-License-Identifier: MIT */
/*
 * Instructions per operation of the engine, exactly: the measurement that a noisy machine cannot
 * disturb (tests/latency/instruction_count.h).
 *
 * What a site of a batch costs is what one site more adds, and what a pass through an armed site
 * costs is what it takes longer than the same call of the same site with a CALL in it, as in the
 * published numbers of Linux that it is compared with. The order check is off: it comes after the
 * batch and is no part of a patch.
 */
#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "poke/event_log.h"
#include "poke/poke.h"
#include "poke/table.h"
#include "smp/smp.h"
#include "tests/latency/instruction_count.h"
#include "tests/lib/figure.h"
#include "tests/lib/site.h"

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

/* A patch is measured in both directions, each time from the other image. */
static struct instructions measure(operation *fn, unsigned n, bool alternate)
{
    struct instructions all = INSTRUCTIONS_NONE;
    struct op op = { .n = n };

    for (unsigned i = 0; i < INSTRUCTION_REPEATS; i++) {
        op.back = false;
        instructions_add(&all, fn, &op);
        if (alternate) {
            op.back = true;
            fn(&op);
        }
    }
    return op.failed ? INSTRUCTIONS_FAILED : all;
}

/* The pass through a site that is armed, the last of a table of `n`. */
static struct instructions int3_pass(unsigned n, struct instructions plain)
{
    for (unsigned i = 0; i < n; i++) {
        struct poke_entry *e = &poke_table->entries[i];

        e->addr = (uintptr_t)site(i);
        e->len = CALL_INSN_SIZE;
        if (poke_insn_decode(e->addr, calls[i], CALL_INSN_SIZE, &e->emulate))
            return INSTRUCTIONS_FAILED;
    }
    poke_table->count = n;
    poke_table_publish(poke_table);
    text_poke(site(0), (const uint8_t[]){ INT3_INSN_OPCODE }, 1);

    struct instructions armed = measure(call_site, 0, false);

    text_poke(site(0), calls[0], 1);
    poke_table_retire(poke_table);
    poke_table->count = 0;
    return instructions_beyond(armed, plain);
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
        json_uint(&t->data, NULL, timing->end[i] ? instructions_in(timing->end[i] - before) : 0);
        before = timing->end[i] ? timing->end[i] : before;
    }
    json_array_end(&t->data);
}

static void report(struct test_run *t)
{
    struct instructions one = measure(patch_batch, 1, true),
                        many = measure(patch_batch, ARRAY, true);

    figures_begin(t);
    figure_of_instructions(t, "instructions.sync_core", measure(sync, 0, false), 1);
    figure_of_instructions(t, "instructions.sync_all_one_core", measure(sync_all, 0, false), 1);
    figure_of_instructions(t, "instructions.text_poke_1", measure(poke_bytes, 1, true), 1);
    figure_of_instructions(t, "instructions.text_poke_5", measure(poke_bytes, CALL_INSN_SIZE, true),
                           1);
    figure_of_instructions(t, "instructions.single_patch", measure(patch_one, 1, true), 1);
    figure_of_instructions(t, "instructions.batch_16", measure(patch_batch, 16, true), 1);
    figure_of_instructions(t, "instructions.batch_256", many, 1);
    figure_of_instructions(t, "instructions.further_site", instructions_beyond(many, one),
                           ARRAY - 1);
    measure(patch_one, 1, false); /* a CALL from here on */
    struct instructions plain = measure(call_site, 0, false);
    figure_of_instructions(t, "instructions.int3_pass", int3_pass(1, plain), 1);
    figure_of_instructions(t, "instructions.int3_pass_of_256", int3_pass(ARRAY, plain), 1);
    figures_end(t);
    report_steps(t);
}

TEST(latency, instructions, "instructions that each operation of the engine executes",
     .budget_ms = 200)
{
    if (!instructions_begin(t))
        return;
    if (prepare()) {
        text_mutex_lock();
        poke_order_check_enable(false);
        report(t);
        poke_order_check_enable(true);
        text_mutex_unlock();
    } else {
        FAIL("no text to patch");
    }
    instructions_end();
}

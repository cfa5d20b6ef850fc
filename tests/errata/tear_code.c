/* SPDX-License-Identifier: MIT */
/*
 * Generated code: the instructions under test and the loop around them.
 *
 * Two pages hold the instructions, in the middle of the first one or across the edge between them
 * (their frames are not neighbours); the straight code of state "line" follows; then come two pages
 * that nobody executes, for the data control.
 */
#include "kernel/mm/mm.h"
#include "poke/poke.h"
#include "tests/errata/tear.h"

#define SITE_PAGES   2u
#define SITE_LINE    0x800u /* of the first page: offset 0 of the line under test */
#define DRIVER       0x100u /* the loop of state "call" */
#define NOP4_BYTES   4u
#define NOPS         8192u /* more than a micro-op cache holds; as much as a first-level cache */
#define STRAIGHT     (NOPS * NOP4_BYTES)
#define STRAIGHT_AT  (SITE_PAGES * (uint64_t)PAGE_SIZE)
#define DATA_AT      (STRAIGHT_AT + STRAIGHT + PAGE_SIZE)
#define REGION_PAGES (DATA_AT / PAGE_SIZE + SITE_PAGES)

static uint64_t region;

/* ---- an emitter ---- */

struct code {
    uint64_t at; /* address of bytes[0] */
    unsigned used;
    uint8_t bytes[256];
};

static uint64_t here(const struct code *c)
{
    return c->at + c->used;
}

static void emit(struct code *c, const void *bytes, unsigned n)
{
    ASSERT(c->used + n <= sizeof c->bytes);
    memcpy(c->bytes + c->used, bytes, n);
    c->used += n;
}

#define EMIT(c, ...) emit(c, (const uint8_t[]){ __VA_ARGS__ }, sizeof(const uint8_t[]){ __VA_ARGS__ })

/* An opcode of `n` bytes with a 32-bit displacement to `target`. */
static void emit_rel32(struct code *c, const uint8_t *opcode, unsigned n, uint64_t target)
{
    uint32_t displacement = (uint32_t)(target - (here(c) + n + 4));

    emit(c, opcode, n);
    emit(c, &displacement, 4);
}

static void emit_jmp(struct code *c, uint64_t target)
{
    emit_rel32(c, (const uint8_t[]){ 0xe9 }, 1, target);
}

static void emit_call(struct code *c, uint64_t target)
{
    emit_rel32(c, (const uint8_t[]){ 0xe8 }, 1, target);
}

static void emit_jz(struct code *c, uint64_t target)
{
    emit_rel32(c, (const uint8_t[]){ 0x0f, 0x84 }, 2, target);
}

static void flush(const struct code *c)
{
    text_poke_copy((void *)(uintptr_t)c->at, c->bytes, c->used);
}

/* ---- the loop ---- */

/* xor r11, r14 for each instruction but the last, r15 for that; all of them or-ed into rdx. */
static void emit_compare(struct code *c, unsigned insns)
{
    static const uint8_t move_to_r11[TEAR_INSNS_MAX][3] = {
        { 0x49, 0x89, 0xc3 }, /* mov r11, rax */
        { 0x49, 0x89, 0xdb }, /* mov r11, rbx */
        { 0x49, 0x89, 0xf3 }, /* mov r11, rsi */
        { 0x49, 0x89, 0xfb }, /* mov r11, rdi */
        { 0x4d, 0x89, 0xc3 }, /* mov r11, r8 */
        { 0x4d, 0x89, 0xcb }, /* mov r11, r9 */
        { 0x4d, 0x89, 0xd3 }, /* mov r11, r10 */
    };

    if (insns > 1)
        EMIT(c, 0x31, 0xd2); /* xor edx, edx */
    for (unsigned i = 0; i + 1 < insns; i++) {
        emit(c, move_to_r11[i], 3);
        EMIT(c, 0x4d, 0x31, 0xf3); /* xor r11, r14 */
        EMIT(c, 0x4c, 0x09, 0xda); /* or rdx, r11 */
    }
    emit(c, move_to_r11[insns - 1], 3);
    EMIT(c, 0x4d, 0x31, 0xfb); /* xor r11, r15 */
}

/*
 * Count; go on at `next` if everything was as expected, else return. The flags of the comparison
 * survive no DEC, so that one comes first.
 */
static void emit_judge(struct code *c, unsigned insns, uint64_t next)
{
    emit_compare(c, insns);
    EMIT(c, 0x48, 0xff, 0xc9); /* dec rcx */
    EMIT(c, 0x74, 0x09);       /* jz to the ret */
    if (insns > 1)
        EMIT(c, 0x4c, 0x09, 0xda); /* or rdx, r11 */
    else
        EMIT(c, 0x4d, 0x85, 0xdb); /* test r11, r11 */
    emit_jz(c, next);
    EMIT(c, 0xc3); /* ret */
}

/* ---- the states ---- */

static void emit_site(struct code *c, const struct tear_image *image)
{
    emit(c, image->code, image->insns * TEAR_INSN_BYTES);
}

static uint64_t write_hot(const struct tear_image *image, uint64_t site)
{
    struct code c = { .at = site };

    emit_site(&c, image);
    emit_judge(&c, image->insns, site);
    flush(&c);
    return site;
}

static uint64_t write_call(const struct tear_image *image, uint64_t site)
{
    struct code callee = { .at = site }, loop = { .at = region + DRIVER };

    emit_site(&callee, image);
    EMIT(&callee, 0xc3);
    flush(&callee);
    emit_call(&loop, site);
    emit_judge(&loop, image->insns, loop.at);
    flush(&loop);
    return loop.at;
}

static uint64_t write_line(const struct tear_image *image, uint64_t site)
{
    struct code c = { .at = site }, end = { .at = region + STRAIGHT_AT + STRAIGHT };

    emit_site(&c, image);
    emit_judge(&c, image->insns, region + STRAIGHT_AT);
    flush(&c);
    emit_jmp(&end, site);
    flush(&end);
    return site;
}

static uint64_t write_evicted(const struct tear_image *image, uint64_t site)
{
    static const uint8_t flush_lines[] = {
        0x41, 0x0f, 0xae, 0x3c, 0x24, /* clflush [r12] */
        0x41, 0x0f, 0xae, 0x7d, 0x00, /* clflush [r13] */
        0x0f, 0xae, 0xf0,             /* mfence: both are done */
    };
    struct code c = { .at = site - sizeof flush_lines };

    emit(&c, flush_lines, sizeof flush_lines);
    emit_site(&c, image);
    emit_judge(&c, image->insns, c.at);
    flush(&c);
    return c.at;
}

/* ---- interface ---- */

bool tear_code_init(void)
{
    static const uint8_t nop4[NOP4_BYTES] = { 0x0f, 0x1f, 0x40, 0x00 };
    static uint8_t page[PAGE_SIZE];

    if (region)
        return true;
    region = mm_text_alloc(REGION_PAGES);
    for (unsigned i = 0; i < sizeof page; i++)
        page[i] = nop4[i % NOP4_BYTES];
    for (uint64_t at = 0; region && at < STRAIGHT; at += sizeof page)
        text_poke_copy((void *)(uintptr_t)(region + STRAIGHT_AT + at), page, sizeof page);
    return region != 0;
}

uint64_t tear_store_address(enum tear_state state, unsigned bytes, unsigned placement)
{
    uint64_t pages = state == TEAR_DATA ? region + DATA_AT : region;

    return pages + (placement == PLACEMENT_PAGE ? PAGE_SIZE - bytes / 2 : SITE_LINE + placement);
}

uint64_t tear_code_write(const struct tear_image *image, enum tear_state state, unsigned placement)
{
    uint64_t site = tear_store_address(state, image->bytes, placement) - TEAR_INSN_IMM;

    switch (state) {
    case TEAR_HOT:
        return write_hot(image, site);
    case TEAR_CALL:
        return write_call(image, site);
    case TEAR_LINE:
        return write_line(image, site);
    case TEAR_EVICTED:
        return write_evicted(image, site);
    case TEAR_DATA:
    case TEAR_STATE_COUNT:
        break;
    }
    struct code data = { .at = site };

    emit_site(&data, image);
    flush(&data);
    return site;
}

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
#include "kernel/trap/trap.h"
#include "tests/errata/tear_code.h"

#define SITE_PAGES   2u
#define SITE_LINE    0x800u /* of the first page: offset 0 of the line under test */
#define ENTRY        0x080u
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

#define EMIT(c, ...)                                                                               \
    emit(c, (const uint8_t[]){ __VA_ARGS__ }, sizeof(const uint8_t[]){ __VA_ARGS__ })

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

/* xor r11, r14 for each register but the last, r15 for that; all of them or-ed into rdx. */
static void emit_compare(struct code *c, unsigned registers)
{
    static const uint8_t move_to_r11[TEAR_REGISTERS][3] = {
        { 0x49, 0x89, 0xc3 }, /* mov r11, rax */
        { 0x49, 0x89, 0xdb }, /* mov r11, rbx */
        { 0x49, 0x89, 0xf3 }, /* mov r11, rsi */
        { 0x49, 0x89, 0xfb }, /* mov r11, rdi */
        { 0x4d, 0x89, 0xc3 }, /* mov r11, r8 */
        { 0x4d, 0x89, 0xcb }, /* mov r11, r9 */
        { 0x4d, 0x89, 0xd3 }, /* mov r11, r10 */
    };

    if (registers > 1)
        EMIT(c, 0x31, 0xd2); /* xor edx, edx */
    for (unsigned i = 0; i + 1 < registers; i++) {
        emit(c, move_to_r11[i], 3);
        EMIT(c, 0x4d, 0x31, 0xf3); /* xor r11, r14 */
        EMIT(c, 0x4c, 0x09, 0xda); /* or rdx, r11 */
    }
    emit(c, move_to_r11[registers - 1], 3);
    EMIT(c, 0x4d, 0x31, 0xfb); /* xor r11, r15 */
}

/*
 * Count; go on at `next` if everything was as expected, else return. The flags of the comparison
 * survive no DEC, so that one comes first.
 */
static void emit_judge(struct code *c, unsigned registers, uint64_t next)
{
    emit_compare(c, registers);
    EMIT(c, 0x48, 0xff, 0xc9); /* dec rcx */
    EMIT(c, 0x74, 0x09);       /* jz to the ret */
    if (registers > 1)
        EMIT(c, 0x4c, 0x09, 0xda); /* or rdx, r11 */
    else
        EMIT(c, 0x4d, 0x85, 0xdb); /* test r11, r11 */
    emit_jz(c, next);
    EMIT(c, 0xc3); /* ret */
}

/* ---- the states ---- */

/* Each returns where its loop begins. `at` is the address of the site's first byte. */

static uint64_t write_hot(const struct tear_site *site, uint64_t at)
{
    struct code c = { .at = at };

    emit(&c, site->code, site->code_bytes);
    emit_judge(&c, site->registers, at);
    flush(&c);
    return at;
}

static uint64_t write_call(const struct tear_site *site, uint64_t at)
{
    struct code callee = { .at = at }, loop = { .at = region + DRIVER };

    emit(&callee, site->code, site->code_bytes);
    EMIT(&callee, 0xc3);
    flush(&callee);
    emit_call(&loop, at);
    emit_judge(&loop, site->registers, loop.at);
    flush(&loop);
    return loop.at;
}

static uint64_t write_line(const struct tear_site *site, uint64_t at)
{
    struct code c = { .at = at }, end = { .at = region + STRAIGHT_AT + STRAIGHT };

    emit(&c, site->code, site->code_bytes);
    emit_judge(&c, site->registers, region + STRAIGHT_AT);
    flush(&c);
    emit_jmp(&end, at);
    flush(&end);
    return at;
}

static uint64_t write_evicted(const struct tear_site *site, uint64_t at)
{
    static const uint8_t flush_lines[] = {
        0x41, 0x0f, 0xae, 0x3c, 0x24, /* clflush [r12] */
        0x41, 0x0f, 0xae, 0x7d, 0x00, /* clflush [r13] */
        0x0f, 0xae, 0xf0,             /* mfence: both are done */
    };
    struct code c = { .at = at - sizeof flush_lines };

    emit(&c, flush_lines, sizeof flush_lines);
    emit(&c, site->code, site->code_bytes);
    emit_judge(&c, site->registers, c.at);
    flush(&c);
    return c.at;
}

/* Nobody executes it. */
static uint64_t write_data(const struct tear_site *site, uint64_t at)
{
    struct code c = { .at = at };

    emit(&c, site->code, site->code_bytes);
    flush(&c);
    return at;
}

/* An entry that clears the counting register, then goes to the loop. */
static uint64_t write_entry(uint64_t loop)
{
    struct code c = { .at = region + ENTRY };

    EMIT(&c, 0x31, 0xdb); /* xor ebx, ebx */
    emit_jmp(&c, loop);
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

    return pages + (placement == PLACEMENT_PAGE ? PAGE_SIZE - tear_before_edge(bytes)
                                                : SITE_LINE + placement);
}

uint64_t tear_code_write(const struct tear_site *site, enum tear_state state, uint64_t address)
{
    static uint64_t (*const write[])(const struct tear_site *, uint64_t) = {
        [TEAR_HOT] = write_hot,         [TEAR_CALL] = write_call, [TEAR_LINE] = write_line,
        [TEAR_EVICTED] = write_evicted, [TEAR_DATA] = write_data,
    };
    uint64_t loop = write[state](site, address - site->store_at);

    return site->counts ? write_entry(loop) : loop;
}

/* SPDX-License-Identifier: MIT */
#include "tests/errata/litmus_code.h"

#include "kernel/trap/trap.h"

#define PAUSES_MAX 3u  /* between two steps */
#define CHAIN_MAX  32u /* multiplications of three cycles before a load */

struct emitter {
    uint8_t *out;
    size_t length;
};

static void put(struct emitter *e, const uint8_t *bytes, size_t count)
{
    ASSERT(e->length + count <= LITMUS_CODE_BYTES);
    memcpy(e->out + e->length, bytes, count);
    e->length += count;
}

#define PUT(e, ...)                                                                                \
    put((e), (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void put32(struct emitter *e, uint32_t value)
{
    put(e, (const uint8_t *)&value, sizeof value);
}

static void put64(struct emitter *e, uint64_t value)
{
    put(e, (const uint8_t *)&value, sizeof value);
}

void litmus_code_function(uint8_t line[static CACHE_LINE], uint32_t number)
{
    uint64_t first = litmus_code_quadword(number);

    memset(line, 0xcc, CACHE_LINE);
    memcpy(line, &first, sizeof first);
    line[sizeof first] = 0xc3;
}

/* A displacement that counts from the end of its own four bytes, to `to` bytes into text. */
static void put_relative(struct emitter *e, const struct litmus_layout *layout, uint32_t to)
{
    put32(e, to - (layout->at + (uint32_t)e->length + 4));
}

/* RDI, RSI stay; RDX to R14, ECX to R12, R8D to R13; observed are R8D and R9D. */
static void put_entry(struct emitter *e)
{
    PUT(e, 0x53, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56); /* push rbx, r12, r13, r14 */
    PUT(e, 0x49, 0x89, 0xd6, 0x41, 0x89, 0xcc, 0x45, 0x89, 0xc5);
}

static void put_exit(struct emitter *e, const struct litmus_layout *layout, unsigned registers)
{
    for (unsigned reg = 0; reg < registers; reg++) {
        PUT(e, 0x45, 0x89, (uint8_t)(0x86 | reg << 3)); /* mov [r14 + d32], r8d + reg */
        put32(e, layout->results + reg * (uint32_t)sizeof(uint32_t));
    }
    PUT(e, 0x41, 0x5e, 0x41, 0x5d, 0x41, 0x5c, 0x5b, 0xc3); /* pop all; ret */
}

static void put_code_store(struct emitter *e, uint32_t line, unsigned value)
{
    switch (value) {
    case 1:
        PUT(e, 0x44, 0x89, 0xa7); /* mov [rdi + d32], r12d */
        break;
    case 2:
        PUT(e, 0x44, 0x89, 0xaf); /* mov [rdi + d32], r13d */
        break;
    case LITMUS_PLANT_FAULT: /* mov word [rdi + d32], ud2 */
        PUT(e, 0x66, 0xc7, 0x87);
        put32(e, line + LITMUS_ENTRY);
        PUT(e, 0x0f, 0x0b);
        return;
    case LITMUS_PLANT_TORN: /* mov eax, r12d; xor eax, 0x55; mov [rdi + d32], eax */
        PUT(e, 0x44, 0x89, 0xe0, 0x83, 0xf0, 0x55, 0x89, 0x87);
        break;
    }
    put32(e, line + LITMUS_IMM);
}

static void put_poke(struct emitter *e, const struct litmus_layout *layout)
{
    PUT(e, 0x56, 0x57, 0x48, 0x83, 0xec, 0x08, 0xbf); /* push rsi, rdi; sub rsp, 8; mov edi, */
    put32(e, layout->instance);
    PUT(e, 0x48, 0xb8); /* mov rax, */
    put64(e, (uintptr_t)layout->poke);
    PUT(e, 0xff, 0xd0, 0x48, 0x83, 0xc4, 0x08, 0x5f, 0x5e); /* call rax; add rsp, 8; pop both */
}

static void put_pauses(struct emitter *e, uint32_t count)
{
    for (; count > 0; count--)
        PUT(e, 0xf3, 0x90);
}

/* RSI again, but late. */
static void put_chain(struct emitter *e, uint32_t length)
{
    for (; length > 0; length--)
        PUT(e, 0x48, 0x6b, 0xf6, 0x01); /* imul rsi, rsi, 1 */
}

static void put_op(struct emitter *e, const struct litmus_op *op, const struct litmus_fence *fence,
                   const struct litmus_layout *layout, unsigned *reg)
{
    uint32_t place = layout->place[op->place];

    switch ((enum litmus_kind)op->kind) {
    case LITMUS_EXEC: /* call; mov r8d + reg, eax */
        PUT(e, 0xe8);
        put_relative(e, layout, place + LITMUS_ENTRY);
        PUT(e, 0x41, 0x89, (uint8_t)(0xc0 | (*reg)++));
        break;
    case LITMUS_READ: /* mov r8d + reg, [rip + d32] */
        PUT(e, 0x44, 0x8b, (uint8_t)(0x05 | (*reg)++ << 3));
        put_relative(e, layout, place + LITMUS_IMM);
        break;
    case LITMUS_LOAD: /* mov r8d + reg, [rsi + d32] */
        PUT(e, 0x44, 0x8b, (uint8_t)(0x86 | (*reg)++ << 3));
        put32(e, place);
        break;
    case LITMUS_CODE:
        put_code_store(e, place, op->value);
        break;
    case LITMUS_STORE: /* mov [rsi + d32], r12d or r13d */
        PUT(e, 0x44, 0x89, op->value == 1 ? 0xa6 : 0xae);
        put32(e, place);
        break;
    case LITMUS_FENCE:
        put(e, fence->code, fence->length);
        break;
    case LITMUS_MFENCE:
        PUT(e, 0x0f, 0xae, 0xf0);
        break;
    case LITMUS_POKE:
        put_poke(e, layout);
        break;
    case LITMUS_END:
        break;
    }
}

size_t litmus_code_thread(uint8_t out[static LITMUS_CODE_BYTES],
                          const struct litmus_op program[static LITMUS_OPS],
                          const struct litmus_fence *fence, const struct litmus_layout *layout,
                          enum litmus_spacing spacing, struct prng *random)
{
    struct emitter e = { out, 0 };
    unsigned registers = 0;

    put_entry(&e);
    if (spacing == LITMUS_SLOW)
        put_chain(&e, prng_below(random, CHAIN_MAX + 1));
    for (unsigned i = 0; i < LITMUS_OPS && program[i].kind != LITMUS_END; i++) {
        if (spacing == LITMUS_PAUSED)
            put_pauses(&e, prng_below(random, PAUSES_MAX + 1));
        put_op(&e, &program[i], fence, layout, &registers);
    }
    put_exit(&e, layout, registers);
    return e.length;
}

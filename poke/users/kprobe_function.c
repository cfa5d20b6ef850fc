/* SPDX-License-Identifier: MIT */
#include "poke/users/kprobe_function.h"

#include "kernel/lib/string.h"
#include "kernel/lib/symbols.h"
#include "poke/users/jump_label.h"
#include "poke/users/kprobe_slot.h"

extern const uint8_t text_end[]; /* of the kernel's image */

/* The symbol of the function that `addr` lies in. False: it is not in the image. */
static bool find_function(const uint8_t *addr, uint32_t *symbol)
{
    return addr < text_end && symbol_find(&kernel_symbols, (uintptr_t)addr, symbol);
}

static const uint8_t *start_of(uint32_t symbol)
{
    return (const uint8_t *)symbol_address(&kernel_symbols, symbol);
}

static const uint8_t *end_of(uint32_t symbol)
{
    return symbol + 1 < kernel_symbols.count ? start_of(symbol + 1) : text_end;
}

/* The instruction at `at`, as it was before all probes. */
static bool look(const uint8_t *at, const uint8_t *end, struct insn_info *info)
{
    uint8_t bytes[INSN_MAX_SIZE];
    size_t len = (size_t)(end - at);

    if (len > sizeof(bytes))
        len = sizeof(bytes);
    kprobe_original(bytes, at, len);
    return !insn_look(bytes, len, info);
}

#define JMP_INDIRECT_OPCODE 0xFF

static bool is_indirect_jump(const struct insn_info *info)
{
    return info->kind == INSN_JUMP && info->branch == JMP_INDIRECT_OPCODE;
}

bool kprobe_is_instruction(const uint8_t *addr)
{
    struct insn_info info;
    const uint8_t *at;
    uint32_t symbol;

    if (!find_function(addr, &symbol))
        return true;
    for (at = start_of(symbol); at < addr; at += info.len)
        if (!look(at, end_of(symbol), &info))
            return false;
    return at == addr;
}

/* May code of this symbol jump to [from, to)? */
static bool jumps_to(uint32_t symbol, const uint8_t *from, const uint8_t *to)
{
    struct insn_info info;

    for (const uint8_t *at = start_of(symbol); at < end_of(symbol); at += info.len) {
        if (!look(at, end_of(symbol), &info) || is_indirect_jump(&info))
            return true;

        const uint8_t *target = at + info.len + info.rel;

        if (info.kind == INSN_RELATIVE && target >= from && target < to)
            return true;
    }
    return false;
}

/* Of a function's name, without what the compiler adds to parts that it splits off: name.cold. */
static size_t base_length(const char *name)
{
    size_t len = 0;

    while (name[len] && name[len] != '.')
        len++;
    return len;
}

static bool are_of_one_function(uint32_t a, uint32_t b)
{
    const char *x = symbol_name(&kernel_symbols, a), *y = symbol_name(&kernel_symbols, b);
    size_t len = base_length(x);

    return base_length(y) == len && !strncmp(x, y, len);
}

bool kprobe_is_target(const uint8_t *from, const uint8_t *to)
{
    uint32_t function;

    if (!find_function(from, &function) || to > end_of(function) ||
        jump_label_leads_to((uintptr_t)from, (uintptr_t)to))
        return true;
    for (uint32_t i = 0; i < kernel_symbols.count; i++)
        if (are_of_one_function(i, function) && jumps_to(i, from, to))
            return true;
    return false;
}

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

/* The instruction at `at`, as it was before all probes. False: not one that is known. */
static bool look(const uint8_t *at, const uint8_t *end, uint8_t bytes[static INSN_MAX_SIZE],
                 struct insn_info *info)
{
    size_t len = (size_t)(end - at);

    if (len > INSN_MAX_SIZE)
        len = INSN_MAX_SIZE;
    kprobe_original(bytes, at, len);
    return !insn_look(bytes, len, info);
}

bool kprobe_is_instruction(const uint8_t *addr)
{
    uint8_t bytes[INSN_MAX_SIZE];
    struct insn_info info;
    const uint8_t *at;
    uint32_t symbol;

    if (!find_function(addr, &symbol))
        return true;
    for (at = start_of(symbol); at < addr; at += info.len)
        if (!look(at, end_of(symbol), bytes, &info))
            return false;
    return at == addr;
}

#define JMP_INDIRECT_OPCODE 0xFF

static int32_t read_32(const uint8_t *bytes)
{
    int32_t value;

    memcpy(&value, bytes, sizeof(value));
    return value;
}

/* Does the instruction at `at` branch to [from, to), or name an address there? */
static bool names(const uint8_t *at, const uint8_t *bytes, const struct insn_info *info,
                  const uint8_t *from, const uint8_t *to)
{
    uintptr_t next = (uintptr_t)at + info->len, start = (uintptr_t)from,
              len = (uintptr_t)(to - from);

    if (info->branch && next + (uintptr_t)info->rel - start < len)
        return true;
    if (info->disp_at && next + (uintptr_t)read_32(bytes + info->disp_at) - start < len)
        return true;
    /* An operand of 32 bits, extended by its sign, wherever it stands. */
    for (size_t i = 0; i + sizeof(int32_t) <= info->len; i++)
        if ((uintptr_t)read_32(bytes + i) - start < len)
            return true;
    return false;
}

/* May code of this symbol lead to [from, to)? */
static bool leads_to(uint32_t symbol, const uint8_t *from, const uint8_t *to)
{
    uint8_t bytes[INSN_MAX_SIZE];
    struct insn_info info;

    for (const uint8_t *at = start_of(symbol); at < end_of(symbol); at += info.len)
        if (!look(at, end_of(symbol), bytes, &info) || info.branch == JMP_INDIRECT_OPCODE ||
            names(at, bytes, &info, from, to))
            return true;
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
        if (are_of_one_function(i, function) && leads_to(i, from, to))
            return true;
    return false;
}

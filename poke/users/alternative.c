/* SPDX-License-Identifier: MIT */
#include "poke/users/alternative.h"

#include "kernel/lib/string.h"

#define CODE_MAX 64
#define NOP1     0x90

/* The linker set. */
extern const struct alternative alternatives_start[], alternatives_end[];

static enum poke_error replace(const struct alternative *a)
{
    uint8_t text[CODE_MAX];

    if (a->code_len > sizeof(text))
        return POKE_E_LENGTH;
    memset(text, NOP1, a->code_len);
    memcpy(text, (const void *)a->replacement, a->replacement_len);
    return text_poke_early((void *)a->code, text, a->code_len);
}

enum poke_error alternatives_apply(bool (*has)(uint32_t feature))
{
    enum poke_error e = POKE_OK;

    for (const struct alternative *a = alternatives_start; a < alternatives_end && !e; a++)
        if (has(a->feature))
            e = replace(a);
    return e;
}

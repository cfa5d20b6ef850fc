/* SPDX-License-Identifier: MIT */
#include "poke/users/redirect.h"

#include "kernel/lib/string.h"
#include "poke/users/text_switch.h"

/* The linker set that the compiler makes; constant. */
extern uint8_t *const patchable_entries_start[], *const patchable_entries_end[];

enum poke_error redirect_init(void)
{
    static const uint8_t nops[sizeof poke_nop5] = { 0x90, 0x90, 0x90, 0x90, 0x90 };
    enum poke_error e = POKE_OK;

    for (uint8_t *const *entry = patchable_entries_start; entry < patchable_entries_end && !e;
         entry++) {
        if (memcmp(*entry, nops, sizeof nops))
            return POKE_E_EXPECTED;
        e = text_poke_early(*entry, poke_nop5, sizeof poke_nop5);
    }
    return e;
}

static bool is_redirectable(const void *func)
{
    for (uint8_t *const *entry = patchable_entries_start; entry < patchable_entries_end; entry++)
        if (*entry == func)
            return true;
    return false;
}

static struct text_target target_of(const void *func, const void *to)
{
    return to == func ? TEXT_NOP : TEXT_JMP(to);
}

enum poke_error redirect_function(void *func, void *from, void *to)
{
    if (!is_redirectable(func))
        return POKE_E_ADDRESS;
    return text_switch(func, target_of(func, from), target_of(func, to), NULL);
}

bool redirect_text_reserved(uintptr_t start, size_t len)
{
    for (uint8_t *const *entry = patchable_entries_start; entry < patchable_entries_end; entry++)
        if ((uintptr_t)*entry < start + len && start < (uintptr_t)*entry + sizeof poke_nop5)
            return true;
    return false;
}

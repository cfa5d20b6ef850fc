/* SPDX-License-Identifier: MIT */
#include "tests/lib/long_key.h"

#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"

/* clang-format off */
static const uint8_t site[] = {
    0x0f, 0x1f, 0x44, 0x00, 0x00, /* the NOP5 that becomes a JMP to `taken` */
    0x31, 0xc0,                   /* xor eax, eax */
    RET_INSN_OPCODE,
};
static const uint8_t taken[sizeof site] = {
    0xb8, 1, 0, 0, 0,             /* mov eax, 1 */
    RET_INSN_OPCODE, INT3_INSN_OPCODE, INT3_INSN_OPCODE,
};
/* clang-format on */

/* Pages of sites, behind `taken`. NULL if memory is short. */
static uint8_t *make_text(unsigned sites)
{
    static uint8_t page[PAGE_SIZE];
    size_t pages = ((sites + 1) * sizeof site + PAGE_SIZE - 1) / PAGE_SIZE;
    uint8_t *text = (uint8_t *)mm_text_alloc(pages);

    for (unsigned at = 0; at < PAGE_SIZE; at += sizeof site)
        memcpy(page + at, site, sizeof site);
    for (size_t i = 0; text && i < pages; i++)
        if (text_poke_copy(text + i * PAGE_SIZE, page, sizeof page))
            return NULL;
    return text && !text_poke_copy(text, taken, sizeof taken) ? text : NULL;
}

bool long_key_make(struct static_key *key, unsigned sites)
{
    size_t bytes = sites * sizeof(struct jump_entry);
    struct jump_entry *entries = pages_alloc_virt((bytes + PAGE_SIZE - 1) / PAGE_SIZE);
    uint8_t *text = make_text(sites);

    if (!entries || !text)
        return false;
    for (unsigned i = 0; i < sites; i++)
        entries[i] = (struct jump_entry){ .code = (uintptr_t)text + (i + 1) * sizeof site,
                                          .target = (uintptr_t)text,
                                          .key = (uintptr_t)key,
                                          .len = JMP32_INSN_SIZE };
    *key = (struct static_key){ .count = sites, .sites = entries };
    return true;
}

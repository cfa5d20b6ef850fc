/* SPDX-License-Identifier: MIT */
#include "tests/host/tlb.h"

#include <stdlib.h>
#include <string.h>

static unsigned first_slot(uint64_t page)
{
    return (unsigned)(page * 0x9e3779b97f4a7c15ull >> 32) % TLB_SLOTS;
}

static unsigned next_slot(unsigned slot)
{
    return (slot + 1) % TLB_SLOTS;
}

void tlb_add(struct tlb *tlb, struct translation t)
{
    struct translation *free_slot = NULL, *slots = tlb->slots;
    unsigned slot;

    for (slot = first_slot(t.page); slots[slot].probed; slot = next_slot(slot)) {
        if (!slots[slot].in)
            free_slot = &slots[slot];
        else if (slots[slot].page == t.page && slots[slot].leaf == t.leaf &&
                 slots[slot].pcid == t.pcid && slots[slot].global == t.global)
            return;
    }
    if (!free_slot) {
        free_slot = &slots[slot];
        if (++tlb->probed > TLB_SLOTS / 2)
            abort(); /* one that forgets for want of room would be no adversary */
    }
    t.in = t.probed = true;
    *free_slot = t;
}

const struct translation *tlb_next(const struct tlb *tlb, uint64_t page, uint16_t pcid,
                                   const struct translation *last)
{
    const struct translation *slots = tlb->slots;
    unsigned slot = last ? next_slot((unsigned)(last - slots)) : first_slot(page);

    for (; slots[slot].probed; slot = next_slot(slot))
        if (slots[slot].in && slots[slot].page == page &&
            (slots[slot].global || slots[slot].pcid == pcid))
            return &slots[slot];
    return NULL;
}

bool tlb_holds(const struct tlb *tlb, uint64_t page)
{
    for (unsigned slot = first_slot(page); tlb->slots[slot].probed; slot = next_slot(slot))
        if (tlb->slots[slot].in && tlb->slots[slot].page == page)
            return true;
    return false;
}

void tlb_drop_pcid(struct tlb *tlb, uint16_t pcid)
{
    for (unsigned slot = 0; slot < TLB_SLOTS; slot++)
        if (!tlb->slots[slot].global && tlb->slots[slot].pcid == pcid)
            tlb->slots[slot].in = false;
}

void tlb_drop_page(struct tlb *tlb, uint64_t page, uint16_t pcid)
{
    const struct translation *t = NULL;

    while ((t = tlb_next(tlb, page, pcid, t)))
        tlb->slots[t - tlb->slots].in = false;
}

void tlb_drop_all(struct tlb *tlb)
{
    memset(tlb, 0, sizeof(*tlb));
}

/* SPDX-License-Identifier: MIT */
#include "tests/model/state_set.h"

#include <stdlib.h>

/* The slot that holds `hash`, or the free one where it belongs. */
static uint64_t *slot_of(uint64_t *slots, size_t size, uint64_t hash)
{
    size_t i = hash & (size - 1);

    while (slots[i] && slots[i] != hash)
        i = (i + 1) & (size - 1);
    return &slots[i];
}

static void grow(struct state_set *set)
{
    size_t size = set->size ? 2 * set->size : 1 << 14;
    uint64_t *slots = calloc(size, sizeof(*slots));

    if (!slots)
        abort();
    for (size_t i = 0; i < set->size; i++)
        if (set->slots[i])
            *slot_of(slots, size, set->slots[i]) = set->slots[i];
    free(set->slots);
    set->slots = slots;
    set->size = size;
}

bool state_set_add(struct state_set *set, uint64_t hash)
{
    if (2 * set->used >= set->size)
        grow(set);
    hash += !hash; /* 0 marks free slots */

    uint64_t *slot = slot_of(set->slots, set->size, hash);

    if (*slot)
        return false;
    *slot = hash;
    set->used++;
    return true;
}

void state_set_free(struct state_set *set)
{
    free(set->slots);
    *set = (struct state_set){ 0 };
}

/* SPDX-License-Identifier: MIT */
/* Broken on purpose: a handler takes two references and gives one back. */
#include "kernel/lib/atomic.h"

static int take_two(uint32_t *refs, uint32_t *seen, uint32_t next)
{
    return compare_exchange(refs, seen, next + 1);
}

#undef compare_exchange
#define compare_exchange take_two

#include "poke/int3_handler.c"

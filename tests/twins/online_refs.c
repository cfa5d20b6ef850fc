/* SPDX-License-Identifier: MIT */
/*
 * Broken on purpose: the table is published to the cores that are online, not to all that may come
 * online before it is retired.
 */
#include "poke/machine.h"

static uint32_t take_back(uint32_t *refs)
{
    return load_relaxed(refs) ? fetch_sub(refs, 1) : 1;
}

/* `core` is poke_table_publish()'s. */
#undef store_release
#define store_release(refs, one)                                                                   \
    (machine_core_online(core) ? __atomic_store_n((refs), (one), __ATOMIC_RELEASE) : (void)0)
#undef fetch_sub
#define fetch_sub(refs, one) take_back(refs)

#include "poke/int3_handler.c"

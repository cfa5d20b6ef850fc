/* SPDX-License-Identifier: MIT */
/* Broken on purpose: every core is interrupted twice for each sync. */
#include "poke/protocol.h"

#define poke_sync sync_once
uint64_t sync_once(uint64_t begin);
#include "poke/sync.c"
#undef poke_sync

uint64_t poke_sync(uint64_t begin)
{
    return sync_once(sync_once(begin));
}

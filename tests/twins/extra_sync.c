/* SPDX-License-Identifier: MIT */
/* Broken on purpose: every core is interrupted twice for each sync. */
#include "poke/poke.h"

#define smp_text_poke_sync_each_cpu sync_once
void sync_once(void);
#include "poke/sync.c"
#undef smp_text_poke_sync_each_cpu

void smp_text_poke_sync_each_cpu(void)
{
    sync_once();
    sync_once();
}

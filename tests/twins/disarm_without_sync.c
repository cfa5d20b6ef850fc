/* SPDX-License-Identifier: MIT */
/*
 * Broken on purpose, as Linux's kprobes were until 2019 (5b8ad1c9bc44): a probe is armed and
 * disarmed without a sync, and forgotten while a core that has met its INT3 is on its way to ask.
 */
#include "poke/users/kprobe.h"

#define smp_text_poke_sync_each_cpu() ((void)0)

#include "poke/users/kprobe.c"

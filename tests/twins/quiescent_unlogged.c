/* SPDX-License-Identifier: MIT */
/* Broken on purpose: a core that waits is not asked, and says so to nobody. */
#include "smp/internal.h"

#define poke_log_offline() ((void)0)
#define poke_log_online()  ((void)0)

#include "smp/quiescent.c"

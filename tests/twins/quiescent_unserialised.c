/* SPDX-License-Identifier: MIT */
/* Broken on purpose: a core that ceases to wait does not serialise. */
#include "smp/internal.h"

#define sync_core_in_nmi() ((void)0)

#include "smp/quiescent.c"

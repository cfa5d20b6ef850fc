/* SPDX-License-Identifier: MIT */
/* Broken on purpose: nobody waits until the cores are outside of old text. */
#include "poke/users/reclaim.h"

#define machine_core_away(core) true

#include "poke/users/reclaim.c"

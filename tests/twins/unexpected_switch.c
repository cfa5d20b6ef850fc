/* SPDX-License-Identifier: MIT */
/* Broken on purpose: a site is switched whatever it holds. */
#include "kernel/lib/string.h"
#include "poke/users/text_switch.h"

/* `site` is replace()'s. */
#undef memcmp
#define memcmp(a, b, len) ((const void *)(a) == site ? 0 : __builtin_memcmp(a, b, len))

#include "poke/users/text_switch.c"

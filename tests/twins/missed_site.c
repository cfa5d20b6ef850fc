/* SPDX-License-Identifier: MIT */
/* Broken on purpose: the last site of a key that has many is not switched. */
#include "poke/users/jump_label.h"

/* `i` and `key` are switch_sites()'s. */
#define smp_text_poke_batch_add(addr, image, len, emulate, flushed)                                \
    (key->count > 2 && i + 1 == key->count                                                         \
         ? POKE_OK                                                                                 \
         : smp_text_poke_batch_add(addr, image, len, emulate, flushed))

#include "poke/users/jump_label.c"

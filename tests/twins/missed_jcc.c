/* SPDX-License-Identifier: MIT */
/* Broken on purpose: the site of a static call under a condition keeps its old target. */
#include "poke/users/static_call.h"

#define smp_text_poke_batch_add(addr, text, len, emulate, flushed)                                 \
    ((len) == TEXT_POKE_MAX_OPCODE_SIZE                                                            \
         ? POKE_OK                                                                                 \
         : smp_text_poke_batch_add(addr, text, len, emulate, flushed))

#include "poke/users/static_call.c"

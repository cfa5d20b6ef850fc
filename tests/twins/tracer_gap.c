/* SPDX-License-Identifier: MIT */
/*
 * Broken on purpose: from one tracer to another a traced function is not traced, for the CALL is
 * taken for a NOP while its INT3 stands. (As Linux's function tracing was until 2019.)
 */
#include "poke/users/ftrace.h"

#define smp_text_poke_batch_add(addr, text, len, emulate, flushed)                                 \
    smp_text_poke_batch_add(addr, text, len, poke_nop5, flushed)

#include "poke/users/ftrace.c"

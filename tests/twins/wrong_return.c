/* SPDX-License-Identifier: MIT */
/* Broken on purpose: an emulated CALL returns to the byte after the INT3, not after the CALL. */
#include "poke/emulate.h"

#undef CALL_INSN_SIZE
#define CALL_INSN_SIZE INT3_INSN_SIZE

#include "poke/emulate.c"

/* SPDX-License-Identifier: MIT */
/* Broken on purpose: a short jump's displacement is checked as if it had 16 bits. */
#include "poke/poke.h"

#define int8_t int16_t

#include "poke/insn_gen.c"

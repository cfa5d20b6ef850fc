/* SPDX-License-Identifier: MIT */
/* Broken on purpose: INT3 stands for the new text, also where the caller gives another image. */
#include "poke/table.h"

#define poke_insn_decode(addr, image, len, out)                                                    \
    ((void)(image), poke_insn_decode((addr), opcode, (len), (out)))

#include "poke/batch.c"

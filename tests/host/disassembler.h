/* SPDX-License-Identifier: MIT */
/*
 * A second opinion on what a slot holds: the rules of poke/insn.h, restated as a table, over what
 * Capstone (Debian's libcapstone-dev) reads in the bytes. Shared by the host tests and the fuzzer
 * of the decoder.
 */
#ifndef TESTS_HOST_DISASSEMBLER_H
#define TESTS_HOST_DISASSEMBLER_H

#include "poke/insn.h"

/* Before anything else. False if Capstone cannot be had. */
bool disassembler_open(void);
void disassembler_close(void);

/* What poke_insn_decode() must answer to the same arguments. On error *out is not changed. */
enum poke_error disassembler_decode(uintptr_t addr, const uint8_t *bytes, size_t len,
                                    struct poke_insn *out);

/* Do two decoded instructions agree in every member? */
bool disassembler_agrees(const struct poke_insn *a, const struct poke_insn *b);

#endif

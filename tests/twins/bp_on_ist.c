/* SPDX-License-Identifier: MIT */
/*
 * Broken on purpose, as Linux was until d8ba61ba58c8 (CVE-2018-8897): #BP has a stack of its own,
 * so that one in an NMI in the handler of another overwrites the other's frame.
 */
#include "kernel/trap/idt.h"

#define idt_build build_right
void build_right(void);
#include "kernel/trap/idt.c"
#undef idt_build

void idt_build(void)
{
    build_right();
    idt[TRAP_BP].low |= (uint64_t)IST_MC << 32;
}

/* SPDX-License-Identifier: MIT */
/* The interrupt descriptor table, one for all cores. */
#ifndef KERNEL_TRAP_IDT_H
#define KERNEL_TRAP_IDT_H

/* IST slots of the TSS (1-based, as in the gate). */
#define IST_NMI 1
#define IST_DF  2
#define IST_MC  3

/* Fill in the table. Once, before any core loads it. */
void idt_build(void);

/* LIDT on this core. */
void idt_load(void);

#endif

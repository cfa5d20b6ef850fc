/* SPDX-License-Identifier: MIT */
/*
 * Stands before kernel/cpu/regs.h when the portable code is compiled for a process. The processor's
 * registers are the same; what a process may not touch, and tests and traps need, is a word of the
 * thread's own core.
 */
#ifndef HOSTED_REGS_H
#define HOSTED_REGS_H

#define read_cr2    privileged_read_cr2
#define irq_enable  privileged_irq_enable
#define irq_disable privileged_irq_disable
#define irq_save    privileged_irq_save
#define irq_restore privileged_irq_restore
#define rdmsr       privileged_rdmsr
#include "../../../../kernel/cpu/regs.h"
#undef read_cr2
#undef irq_enable
#undef irq_disable
#undef irq_save
#undef irq_restore
#undef rdmsr

/* Address of this core's last page fault. */
uint64_t read_cr2(void);

/* MSR_MICROCODE: what Linux says of it, 0 if nothing; any other faults. */
uint64_t rdmsr(uint32_t msr);

/*
 * The signals that stand for interrupts (hosted/interrupts.c) wait while they are off. Traps do
 * not.
 */
void irq_enable(void);
void irq_disable(void);
uint64_t irq_save(void);
void irq_restore(uint64_t flags);

#endif

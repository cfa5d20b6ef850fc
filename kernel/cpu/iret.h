/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_CPU_IRET_H
#define KERNEL_CPU_IRET_H

#include <stdint.h>

/*
 * IRET to the next instruction, at the privilege and with the selectors that this core has: it
 * serialises at every privilege (SDM vol 3A, "Serializing Instructions"; AMD APM vol 2, the same).
 * Writes 40 bytes below the stack pointer. Any context but NMI, whose blocking it would end.
 */
static inline void iret_to_next(void)
{
    uint64_t scratch;

    __asm__ volatile("mov %%ss, %k0\n\t"
                     "mov %%rsp, %%rcx\n\t"
                     "push %0\n\t"
                     "push %%rcx\n\t"
                     "pushfq\n\t"
                     "mov %%cs, %k0\n\t"
                     "push %0\n\t"
                     "lea 1f(%%rip), %0\n\t"
                     "push %0\n\t"
                     "iretq\n"
                     "1:"
                     : "=&r"(scratch)
                     :
                     : "rcx", "memory", "cc");
}

#endif

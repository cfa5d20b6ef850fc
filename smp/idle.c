/* SPDX-License-Identifier: MIT */
/*
 * Waiting in HLT without losing a wake-up. STI takes effect after the next instruction, so an
 * interrupt that is sent after the caller's last look is taken in HLT and ends it (SDM vol 2B,
 * STI). But an NMI may come between the two, and its IRET ends that delay: the interrupt would be
 * taken before HLT, and nothing would end it. So the NMI handler steps over the HLT, and the caller
 * looks again.
 *
 * Besides, an NMI ends the quiescence of the core (quiescent.c), and it shall not halt like that.
 * An NMI before idle_begin is found by the look there; from there on the handler steps over HLT.
 */
#include "smp/internal.h"

extern const uint8_t idle_begin[], idle_end[];

__attribute__((noinline)) void idle_wait(void)
{
    struct percpu *self = this_cpu();

    quiescent_enter();
    __asm__ volatile(".globl idle_begin, idle_end\n"
                     "idle_begin:\n\t"
                     "cmpl %1, %0\n\t"
                     "jne idle_end\n\t"
                     "sti\n\t"
                     "hlt\n"
                     "idle_end:\n\t"
                     "cli" ::"m"(self->quiescence),
                     "i"(CORE_QUIESCENT)
                     : "memory", "cc");
    quiescent_leave(); /* as a rule the trap that ended HLT has */
}

void idle_leave(struct trap_frame *frame)
{
    if (frame->rip >= (uint64_t)idle_begin && frame->rip < (uint64_t)idle_end)
        frame->rip = (uint64_t)idle_end;
}

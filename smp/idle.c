/* SPDX-License-Identifier: MIT */
/*
 * Waiting in HLT without losing a wake-up. STI takes effect after the next instruction, so an
 * interrupt that is sent after the caller's last look is taken in HLT and ends it (SDM vol 2B, STI).
 * But an NMI may come between the two, and its IRET ends that delay: the interrupt would be taken
 * before HLT, and nothing would end it. So the NMI handler steps over the HLT, and the caller looks
 * again.
 */
#include "smp/internal.h"

extern const uint8_t idle_hlt[];

__attribute__((noinline)) void idle_wait(void)
{
    __asm__ volatile("sti\n"
                     ".globl idle_hlt\n"
                     "idle_hlt:\n\t"
                     "hlt\n\t"
                     "cli" ::
                         : "memory");
}

void idle_leave(struct trap_frame *frame)
{
    if (frame->rip == (uint64_t)idle_hlt)
        frame->rip++; /* HLT is one byte */
}

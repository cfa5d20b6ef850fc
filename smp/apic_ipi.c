/* SPDX-License-Identifier: MIT */
/*
 * The interrupt command register.
 *
 * Whoever sends has stored something that the receiver will read. The write to the xAPIC's
 * uncached register comes after all earlier stores of this core; WRMSR to the x2APIC's does not,
 * since it is no serialising instruction, so MFENCE and LFENCE precede it (SDM vol 3A, "MSR Access
 * in x2APIC Mode"). Both pair with the acquire in the receiver's handler.
 */
#include "smp/apic.h"

#include "kernel/cpu/regs.h"
#include "kernel/lib/atomic.h"
#include "smp/apic_regs.h"

#define XAPIC_BROADCAST 0xffu
#define PENDING_TRIES   1000000u /* far above any delivery; a stuck register must not hang us */

bool apic_can_reach(uint32_t id)
{
    return apic_is_x2apic() || id < XAPIC_BROADCAST;
}

static void xapic_wait_idle(void)
{
    for (unsigned tries = 0; tries < PENDING_TRIES; tries++) {
        if (!(apic_read(APIC_ICR) & APIC_ICR_PENDING))
            return;
        cpu_relax();
    }
}

static void x2apic_send(uint64_t value)
{
    __asm__ volatile("mfence; lfence" ::: "memory");
    wrmsr(MSR_X2APIC(APIC_ICR), value);
}

/*
 * Two registers, so a sender in an interrupt or NMI must not come between them unnoticed:
 * interrupts are off, and an NMI's sender leaves the destination as it was and the register idle.
 */
void apic_send(uint32_t id, uint32_t command)
{
    if (apic_is_x2apic()) {
        x2apic_send((uint64_t)id << 32 | APIC_ICR_ASSERT | command);
        return;
    }
    uint64_t flags = irq_save();
    uint32_t interrupted = apic_read(APIC_ICR_HIGH);
    xapic_wait_idle();
    apic_write(APIC_ICR_HIGH, id << 24);
    apic_write(APIC_ICR, APIC_ICR_ASSERT | command);
    xapic_wait_idle();
    apic_write(APIC_ICR_HIGH, interrupted);
    irq_restore(flags);
}

void apic_send_others(uint32_t command)
{
    if (apic_is_x2apic()) {
        x2apic_send(APIC_ICR_OTHERS | APIC_ICR_ASSERT | command);
        return;
    }
    uint64_t flags = irq_save();
    xapic_wait_idle();
    apic_write(APIC_ICR, APIC_ICR_OTHERS | APIC_ICR_ASSERT | command);
    irq_restore(flags);
}

/* SPDX-License-Identifier: MIT */
/* Registers of the local APIC, by their xAPIC offset (SDM vol 3A, "Local APIC Register Map"). */
#ifndef SMP_APIC_REGS_H
#define SMP_APIC_REGS_H

#include <stdint.h>

#define APIC_ID            0x020
#define APIC_TPR           0x080
#define APIC_EOI           0x0b0
#define APIC_SVR           0x0f0
#define APIC_ISR_LAST      0x170 /* vectors 0xE0 to 0xFF in service */
#define APIC_IRR_LAST      0x270 /* requests of vectors 0xE0 to 0xFF */
#define APIC_ICR           0x300 /* x2APIC: one 64-bit register */
#define APIC_ICR_HIGH      0x310 /* xAPIC only */
#define APIC_LVT_TIMER     0x320
#define APIC_LVT_LINT0     0x350
#define APIC_LVT_LINT1     0x360
#define APIC_LVT_ERROR     0x370
#define APIC_TIMER_INITIAL 0x380
#define APIC_TIMER_CURRENT 0x390
#define APIC_TIMER_DIVIDE  0x3e0

#define APIC_SVR_ENABLE       (1u << 8)
#define APIC_LVT_MASKED       (1u << 16)
#define APIC_TIMER_PERIODIC   (1u << 17)
#define APIC_TIMER_DEADLINE   (1u << 18)
#define APIC_ICR_PENDING      (1u << 12) /* xAPIC only */
#define APIC_ICR_ASSERT       (1u << 14)
#define APIC_ICR_OTHERS       (3u << 18) /* shorthand: all excluding self */
#define APIC_TIMER_DIVIDE_BY1 0xbu

#define MSR_X2APIC(reg) (0x800u + ((reg) >> 4))

uint32_t apic_read(unsigned reg);
void apic_write(unsigned reg, uint32_t value);

#endif

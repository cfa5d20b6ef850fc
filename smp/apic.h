/* SPDX-License-Identifier: MIT */
/*
 * The local APIC of the core that asks, behind one interface: xAPIC registers in memory or x2APIC
 * registers in MSRs. The mode is the one that the firmware left on the boot core; going back from
 * x2APIC may be locked, and its APIC ids may not fit (SDM vol 3A, "Extended XAPIC (x2APIC)").
 */
#ifndef SMP_APIC_H
#define SMP_APIC_H

#include <stdbool.h>
#include <stdint.h>

/* Find the mode and map the registers; changes nothing. Boot core, once, before all others. */
void apic_detect(void);
bool apic_is_x2apic(void);

/*
 * Put this core's APIC into the boot core's mode. Other cores, before their apic_enable(). False,
 * with nothing changed, if it is locked in another.
 */
bool apic_adopt_mode(void);

/*
 * Ready for our vectors: spurious vector, then task priority 0xE0, so that the firmware's devices
 * stay pending; LINT0 and the timer masked. Interrupts off.
 */
void apic_enable(void);

/* Keep this core's settings, and bring them back with nothing of ours pending. Interrupts off. */
void apic_save(void);
void apic_restore(void);

uint32_t apic_id(void);
/* End all interrupts of ours that are in service on this core, whose handlers never end them. */
void apic_end_all(void);
/* End of interrupt: in every handler of a vector of ours but VECTOR_SPURIOUS. */
void apic_eoi(void);

/* ---- interrupts to other cores, any context ---- */

/* Delivery modes of the interrupt command register; the low byte is the vector. */
#define APIC_FIXED   0x000u
#define APIC_NMI     0x400u
#define APIC_INIT    0x500u
#define APIC_STARTUP 0x600u /* vector: physical page number of the code */

/* Is this id addressable in the mode in use? (255 and above: by x2APIC only.) */
bool apic_can_reach(uint32_t id);
/*
 * Send to one core by its APIC id. This core's earlier stores are visible before the interrupt.
 */
void apic_send(uint32_t id, uint32_t command);
/* The same to all cores but this one that the bus reaches, used by us or not. */
void apic_send_others(uint32_t command);

/* ---- timer ---- */

/* Measure its frequency against the TSC: 10 ms. Boot core, interrupts off; holds for all cores. */
void apic_timer_calibrate(void);
/* Interrupt `vector` every `us` microseconds; 0: stop. This core; any context. */
void apic_timer_start(unsigned us, unsigned vector);

#endif

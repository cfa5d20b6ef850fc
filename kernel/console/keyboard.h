/* SPDX-License-Identifier: MIT */
/*
 * A PS/2 keyboard, polled, if the firmware's tables name its controller. The firmware has set it
 * up; nothing is written to it. A USB keyboard is one only through the firmware, which does not run
 * meanwhile.
 */
#ifndef KERNEL_CONSOLE_KEYBOARD_H
#define KERNEL_CONSOLE_KEYBOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Does the FADT (ACPI 6.5, 5.2.9) name an 8042 controller? Pure. */
bool keyboard_in_fadt(const uint8_t *fadt, size_t bytes);

/*
 * The letter of a byte of scan code set 1, 0 for what is none of p, q and s. *extended, false at
 * first, is kept from byte to byte. Pure.
 */
char keyboard_letter(bool *extended, uint8_t code);

/* Look for the controller; drop what was typed before. Boot core, after mm_init(). */
void keyboard_init(uint64_t rsdp_phys);

bool keyboard_is_present(void);

/*
 * The next of the keys p, q and s that was pressed, 0: none. A few port reads, each of which may
 * cause an SMI where the firmware emulates the controller: not in a measured section. Boot core.
 */
char keyboard_poll(void);

#endif

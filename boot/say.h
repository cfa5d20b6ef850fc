/* SPDX-License-Identifier: MIT */
/* What the loader tells people: on the firmware's console, and errors on the serial port too. */
#ifndef BOOT_SAY_H
#define BOOT_SAY_H

#include <efi.h>

/*
 * Formatted text to the firmware's console, or below the kernel's picture; at most 511 bytes. Lines
 * end with \n.
 */
__attribute__((format(printf, 1, 2))) void say(const char *fmt, ...);

/* The same for a text of any length, as it is. */
void say_long(const char *text);

/* On the serial port as well, whatever the firmware's console is. */
void say_for_sure(const char *text);

/*
 * End the loader with one sentence of error: on the console, on COM1 as TAP's "Bail out!", and
 * under QEMU by the debug exit with EXIT_ERROR. Elsewhere `status` goes back to the firmware after
 * a key or ten seconds. Only before the kernel has run; memory that is already allocated stays so
 * until reset.
 */
__attribute__((format(printf, 2, 3))) _Noreturn void bail(EFI_STATUS status, const char *fmt, ...);

/*
 * The character of the key that is pressed within `seconds` (0: wait for ever), 1 for one that has
 * none; 0: none was. Needs TPL_APPLICATION.
 */
CHAR16 wait_key(unsigned seconds);

#endif

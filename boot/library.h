/* SPDX-License-Identifier: MIT */
/*
 * What a library that was compiled for user space needs in the loader: the C functions that it
 * calls, and the stack protector's canary, which its code reads at %fs:0x28.
 */
#ifndef BOOT_LIBRARY_H
#define BOOT_LIBRARY_H

#include <stdint.h>

/*
 * Such a library may be called until library_end(). Interrupts are off meanwhile (TPL_HIGH_LEVEL),
 * no service of the firmware may be called. If an assertion fails or a stack is smashed, the run
 * ends in finish(code).
 */
void library_begin(uint64_t code);
void library_end(void);

#endif

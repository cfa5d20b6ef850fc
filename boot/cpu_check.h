/* SPDX-License-Identifier: MIT */
#ifndef BOOT_CPU_CHECK_H
#define BOOT_CPU_CHECK_H

/*
 * End the loader with an error if the processor is in a mode that the switch to the kernel cannot
 * handle.
 */
void cpu_check(void);

#endif

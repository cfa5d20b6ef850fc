/* SPDX-License-Identifier: MIT */
#ifndef BOOT_ACPI_ROOT_H
#define BOOT_ACPI_ROOT_H

#include <stdint.h>

/*
 * Physical address of the ACPI root pointer, the 2.0 one if there are two; 0 if the firmware has
 * none.
 */
uint64_t acpi_root_find(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * COM1, 115200n8. Every wait is bounded: a port that is not there costs nothing after the first
 * byte.
 */
#ifndef KERNEL_CONSOLE_SERIAL_H
#define KERNEL_CONSOLE_SERIAL_H

#include <stddef.h>

/* Find and set up the port. Boot core. */
void serial_init(void);

/* Send; does nothing if there is no port. Any context. */
void serial_write(const char *text, size_t bytes);

#endif

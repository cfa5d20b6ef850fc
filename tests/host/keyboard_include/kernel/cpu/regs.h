/* SPDX-License-Identifier: MIT */
/* Ports of a keyboard controller that tests/host/test_keyboard.c plays. */
#ifndef KERNEL_CPU_REGS_H
#define KERNEL_CPU_REGS_H

#include <stdint.h>

uint8_t inb(uint16_t port);

#endif

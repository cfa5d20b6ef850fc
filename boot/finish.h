/* SPDX-License-Identifier: MIT */
#ifndef BOOT_FINISH_H
#define BOOT_FINISH_H

#include <stdint.h>

/*
 * The end after the kernel has returned `code`: under QEMU the debug exit with it; elsewhere the
 * verdict on the console and, after a key, a cold reset. What is not a code of kernel/exit.h counts
 * as EXIT_ERROR.
 */
_Noreturn void finish(uint64_t code);

#endif

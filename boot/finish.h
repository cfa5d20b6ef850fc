/* SPDX-License-Identifier: MIT */
#ifndef BOOT_FINISH_H
#define BOOT_FINISH_H

#include <stdint.h>

/* "PASS" and the like; "ERROR" for what is no code of kernel/exit.h. */
const char *exit_code_name(uint64_t code);

/*
 * The end after the kernel has returned `code`: under QEMU the debug exit with it; elsewhere the
 * verdict on the console and, after a key, a cold reset. What is not a code of kernel/exit.h counts
 * as EXIT_ERROR.
 */
_Noreturn void finish(uint64_t code);

#endif

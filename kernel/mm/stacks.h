/* SPDX-License-Identifier: MIT */
/* For the audit, inside kernel/mm/. */
#ifndef KERNEL_MM_STACKS_H
#define KERNEL_MM_STACKS_H

#include <stdint.h>

/* How many stacks have no unmapped page below them. */
uint64_t stacks_without_guard(void);

#endif

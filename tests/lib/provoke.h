/* SPDX-License-Identifier: MIT */
/* Touch memory that ought not to be touched. Any core, any context. */
#ifndef TESTS_LIB_PROVOKE_H
#define TESTS_LIB_PROVOKE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/trap/trap.h"

/* Bits of the page fault error code (SDM vol 3A, "Page-Fault Exceptions"). */
#define PF_ERROR_PRESENT 1u
#define PF_ERROR_WRITE   2u
#define PF_ERROR_FETCH   16u

/* Each is true if the access faulted; `caught` then says how. A write that succeeds is undone. */
bool provoke_read(uint64_t address, struct trap_caught *caught);
bool provoke_write(uint64_t address, struct trap_caught *caught);
bool provoke_call(uint64_t address, struct trap_caught *caught);

/* Was it a page fault at `address` with exactly this error code? */
bool is_page_fault(const struct trap_caught *caught, uint64_t address, uint64_t error);

#endif

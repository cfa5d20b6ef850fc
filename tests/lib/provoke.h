/* SPDX-License-Identifier: MIT */
/* Touch memory that ought not to be touched. Any core, any context. */
#ifndef TESTS_LIB_PROVOKE_H
#define TESTS_LIB_PROVOKE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/trap/trap.h"
#include "tests/harness/test.h"

/* Bits of the page fault error code (SDM vol 3A, "Page-Fault Exceptions"). */
#define PF_ERROR_PRESENT 1u
#define PF_ERROR_WRITE   2u
#define PF_ERROR_FETCH   16u

/* Each is true if the access faulted; `caught` then says how. A write that succeeds is undone. */
bool provoke_read(uint64_t address, struct trap_caught *caught);
bool provoke_write(uint64_t address, struct trap_caught *caught);
bool provoke_call(uint64_t address, struct trap_caught *caught);

/*
 * Let every core try the access (one of the above) by a cross-call, one core after the other. FAIL
 * unless each faults at `address` with exactly `error`; each fault counts as SEE_TRAPS. Boot core,
 * thread context.
 */
void provoke_everywhere(struct test_run *t, bool (*access)(uint64_t, struct trap_caught *),
                        uint64_t address, uint64_t error);

/* Was it a page fault at `address` with exactly this error code? */
bool is_page_fault(const struct trap_caught *caught, uint64_t address, uint64_t error);

#endif

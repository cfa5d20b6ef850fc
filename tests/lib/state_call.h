/* SPDX-License-Identifier: MIT */
/* Call code with every register given, and see every register that it leaves. */
#ifndef TESTS_LIB_STATE_CALL_H
#define TESTS_LIB_STATE_CALL_H

#include <stddef.h>
#include <stdint.h>

/* state_call.asm knows the offsets. */
struct registers {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t flags;
    uint64_t above; /* the word just above the stack that the code was called with */
};
_Static_assert(offsetof(struct registers, flags) == 15 * 8, "state_call.asm");
_Static_assert(offsetof(struct registers, above) == 16 * 8, "state_call.asm");

/*
 * Load `state`, call `at` with the stack moved down by `shift` (0 or 8) bytes, store what it left.
 * The code must return with the stack pointer that it was given. Any context.
 */
void state_call(void *at, struct registers *state, uint64_t shift);

#endif

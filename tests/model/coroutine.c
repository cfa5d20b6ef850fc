/* SPDX-License-Identifier: MIT */
#include "tests/model/coroutine.h"

#include <string.h>

/*
 * switch_stack(&save, load): push what the ABI lets a function rely on across a call, leave the
 * stack pointer in *save, go on with another stack. A new coroutine begins in first_run with its
 * entry in RBX and its argument in R12.
 */
void switch_stack(uint8_t **save, uint8_t *load);
void first_run(void);

__asm__(".text\n"
        ".globl switch_stack\n"
        ".type switch_stack, @function\n"
        "switch_stack:\n"
        "    push %rbp\n"
        "    push %rbx\n"
        "    push %r12\n"
        "    push %r13\n"
        "    push %r14\n"
        "    push %r15\n"
        "    mov %rsp, (%rdi)\n"
        "    mov %rsi, %rsp\n"
        "    pop %r15\n"
        "    pop %r14\n"
        "    pop %r13\n"
        "    pop %r12\n"
        "    pop %rbx\n"
        "    pop %rbp\n"
        "    ret\n"
        ".globl first_run\n"
        ".type first_run, @function\n"
        "first_run:\n"
        "    mov %r12d, %edi\n"
        "    call *%rbx\n"
        "    ud2\n");

static uint8_t *explorer; /* its stack pointer while a coroutine runs */

void coroutine_start(struct coroutine *c, uint8_t *top, void (*entry)(unsigned), unsigned arg)
{
    /* r15 r14 r13 r12 rbx rbp, the return address; two words keep first_run's stack aligned. */
    uint64_t frame[9] = { 0, 0, 0, arg, (uintptr_t)entry, 0, (uintptr_t)first_run, 0, 0 };

    c->top = top;
    c->sp = top - sizeof(frame);
    memcpy(c->sp, frame, sizeof(frame));
}

void coroutine_resume(struct coroutine *c)
{
    switch_stack(&explorer, c->sp);
}

void coroutine_yield(struct coroutine *c)
{
    switch_stack(&c->sp, explorer);
}

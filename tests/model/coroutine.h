/* SPDX-License-Identifier: MIT */
/*
 * The engine is sequential code. Each simulated core runs it on a stack of its own and gives
 * control back to the explorer at every access that another core could observe. The stacks have
 * fixed addresses, so that a copy of a stack's live part is a copy of the core's state.
 */
#ifndef TESTS_MODEL_COROUTINE_H
#define TESTS_MODEL_COROUTINE_H

#include <stddef.h>
#include <stdint.h>

#define COROUTINE_STACK 65536 /* a trace is printed on it */

struct coroutine {
    uint8_t *sp;  /* where it left off; registers lie above */
    uint8_t *top; /* end of its stack */
};

/* Prepare `entry(arg)` on the stack that ends at `top`; it must never return. */
void coroutine_start(struct coroutine *c, uint8_t *top, void (*entry)(unsigned), unsigned arg);

/* From the explorer: run it until it calls coroutine_yield(). */
void coroutine_resume(struct coroutine *c);

/* From inside: back to the explorer. */
void coroutine_yield(struct coroutine *c);

/* What its state consists of: the bytes from c->sp on. */
static inline size_t coroutine_live(const struct coroutine *c)
{
    return (size_t)(c->top - c->sp);
}

#endif

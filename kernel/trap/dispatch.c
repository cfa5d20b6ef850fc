/* SPDX-License-Identifier: MIT */
/* Who takes a trap: its handler, else a recovery point, else a panic. */
#include "kernel/cpu/cpu_local.h"
#include "kernel/cpu/cpu_tables.h"
#include "kernel/cpu/regs.h"
#include "kernel/lib/atomic.h"
#include "kernel/trap/trap.h"
#include "poke/machine.h"

_Static_assert(sizeof(struct trap_frame) == 22 * 8, "stubs.asm pushes 22 words");
_Static_assert(sizeof(struct poke_regs) == 24 && offsetof(struct poke_regs, sp) == 8 &&
                   offsetof(struct poke_regs, flags) == 16,
               "stubs.asm pushes three words");
_Static_assert(KERNEL_CS == 0x08 && KERNEL_DS == 0x10, "stubs.asm");

/* Built by trap_try() in try.asm on its own stack. */
struct trap_recovery {
    struct trap_recovery *prev;
    uint64_t rip, rsp; /* where trap_try() continues */
    struct trap_caught *caught;
    uint64_t depth; /* nesting at which trap_try() was called */
};
_Static_assert(offsetof(struct trap_recovery, rip) == 8, "try.asm");
_Static_assert(offsetof(struct trap_recovery, rsp) == 16, "try.asm");
_Static_assert(offsetof(struct trap_recovery, caught) == 24, "try.asm");
_Static_assert(offsetof(struct trap_recovery, depth) == 32, "try.asm");
_Static_assert(sizeof(struct trap_recovery) <= 48, "try.asm");

/*
 * Written by trap_set_handler() on any core, read by every trap. A pointer is one aligned word: a
 * trap sees the old or the new handler. Whoever removes one makes sure that it is not running.
 */
static trap_handler handlers[256];

/* Who is asked first at #BP, and the handler of TRAP_BP that is installed with him. At boot. */
static trap_breakpoint breakpoint_first;
static trap_handler breakpoint_handler;

/* Read by every #BP; NULL: nobody. Written like the handlers. */
trap_breakpoint trap_bp_first;

trap_handler trap_set_handler(unsigned vector, trap_handler handler)
{
    if (vector == TRAP_BP)
        store_release(&trap_bp_first, handler == breakpoint_handler ? breakpoint_first : NULL);
    return exchange(&handlers[vector], handler);
}

void trap_set_breakpoint(trap_breakpoint first, trap_handler handler)
{
    breakpoint_first = first;
    breakpoint_handler = handler;
    trap_set_handler(TRAP_BP, handler);
}

/* Written at boot, and by tests; read by traps. */
static void (*first)(void);

void trap_set_first(void (*fn)(void))
{
    store_release(&first, fn);
}

unsigned trap_depth(void)
{
    return cpu_local()->trap_depth;
}

/*
 * Continue in trap_try() if the trap belongs to the context that called it. A fault in an interrupt
 * handler must not unwind the thread below it: that would skip the handler's end.
 */
static bool recover(struct trap_frame *frame)
{
    struct cpu_local *cpu = cpu_local();
    struct trap_recovery *r = cpu->recovery;

    if (!r || frame->vector >= 32 || r->depth + 1 != cpu->trap_depth)
        return false;
    *r->caught = (struct trap_caught){
        .vector = frame->vector,
        .error = frame->error,
        .rip = frame->rip,
        .cr2 = frame->vector == TRAP_PF ? read_cr2() : 0,
    };
    frame->rip = r->rip;
    frame->rsp = r->rsp;
    /* Selectors as well: the fault may have been the IRET of a frame that was overwritten. */
    frame->cs = KERNEL_CS;
    frame->ss = KERNEL_DS;
    frame->rflags = 2; /* trap_try() restores the flags of its caller */
    return true;
}

void trap_dispatch(struct trap_frame *frame);
void trap_dispatch(struct trap_frame *frame)
{
    if (load_relaxed(&cpu_local()->quiescent))
        first();

    trap_handler handler = load_acquire(&handlers[frame->vector & 0xff]);

    if (handler && handler(frame))
        return;
    if (recover(frame))
        return;
    char what[160];
    trap_describe(frame, what, sizeof what);
    panic(frame, "%s", what);
}

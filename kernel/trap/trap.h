/* SPDX-License-Identifier: MIT */
/*
 * Traps of one core: the frame, who handles what, and recovery from faults that a test provokes.
 *
 * Stacks: NMI, #DF and #MC enter on IST stacks, everything else (#BP above all: CVE-2018-8897) on
 * the interrupted stack. An NMI moves at once from its IST stack to the NMI work stack, below the
 * interrupted frame if that is already there: the IRET of a #BP inside an NMI re-enables NMIs, and
 * the next one must not overwrite the first's frame. The #BP entry leaves POKE_STACK_GAP free bytes
 * between its frame and the interrupted stack.
 */
#ifndef KERNEL_TRAP_TRAP_H
#define KERNEL_TRAP_TRAP_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Vectors of ours: all in the highest priority class, since the firmware's lower ones stay pending.
 */
enum trap_vector {
    TRAP_DE = 0,
    TRAP_DB = 1,
    TRAP_NMI = 2,
    TRAP_BP = 3,
    TRAP_OF = 4,
    TRAP_UD = 6,
    TRAP_NM = 7,
    TRAP_DF = 8,
    TRAP_TS = 10,
    TRAP_NP = 11,
    TRAP_SS = 12,
    TRAP_GP = 13,
    TRAP_PF = 14,
    TRAP_MF = 16,
    TRAP_AC = 17,
    TRAP_MC = 18,
    TRAP_XM = 19,
    TRAP_CP = 21,
    VECTOR_TIMER = 0xf0, /* this core's local APIC timer */
    VECTOR_CALL = 0xf1,  /* cross-call */
    VECTOR_SYNC = 0xf2,  /* core sync */
    VECTOR_WAKE = 0xf3,  /* work for an idle core */
    VECTOR_TEST = 0xf4,  /* free for tests */
    VECTOR_SPURIOUS = 0xff,
};

/* Registers of the interrupted context, as the stubs push them. stubs.asm knows the offsets. */
struct trap_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
    uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss;
};

/*
 * A handler of one vector, called with interrupts off, on the interrupted stack or on the NMI's,
 * #DF's or #MC's own. Returns true if the trap is dealt with; false passes it on to the default:
 * recovery, then panic.
 */
typedef bool (*trap_handler)(struct trap_frame *frame);

/*
 * Install before the vector can occur; one handler per vector, for all cores. NULL removes. Returns
 * the old one.
 */
trap_handler trap_set_handler(unsigned vector, trap_handler handler);

/*
 * The short way through #BP: `first` is asked before anything else, with the registers that it may
 * change and only those saved that a C function may; true: it was his, the trap returns to `regs`.
 * Any context, interrupts off. What it leaves takes the common way to `handler`, with 1 as the
 * frame's error code ("was asked"). While another handler of TRAP_BP is installed it gets
 * everything, by the common way. At boot, before #BP can occur.
 */
struct poke_regs;
typedef bool (*trap_breakpoint)(struct poke_regs *regs);
void trap_set_breakpoint(trap_breakpoint first, trap_handler handler);

/*
 * What a trap does before anything else on a core whose cpu_local()->quiescent is set: smp/
 * registers how that core ceases to be quiescent, before any is. Nothing on the way there may be
 * patchable.
 */
void trap_set_first(void (*fn)(void));

/*
 * Recovery from any fault, wherever the instruction pointer went (a torn instruction can jump
 * anywhere). trap_try() calls fn(arg) on this core; if an exception that no handler takes occurs
 * before it returns, the machine state (RSP, callee-saved registers, RFLAGS.IF) of the trap_try()
 * call is restored and `caught` describes the trap. Nests, also across interrupts and NMIs: each
 * level restores its own. Returns true if fn returned normally.
 */
struct trap_caught {
    uint64_t vector, error, rip, cr2;
};
bool trap_try(void (*fn)(void *arg), void *arg, struct trap_caught *caught);

/*
 * Nesting of traps on this core: 0 in thread context.
 */
unsigned trap_depth(void);

/* "#GP", "#BP", ... or "interrupt". */
const char *trap_name(unsigned vector);

/*
 * Decoded one-liner of an exception: "#PF[not present, write, supervisor] at 0x... address 0x..."
 */
void trap_describe(const struct trap_frame *frame, char *out, unsigned size);

/*
 * Print what happened and a symbolised backtrace of this core, stop the others, end with
 * EXIT_PANIC. `frame` may be NULL (the caller's own context). Any context.
 */
_Noreturn __attribute__((format(printf, 2, 3))) void panic(const struct trap_frame *frame,
                                                           const char *fmt, ...);

/* smp/ registers how to stop the other cores before a panic prints (NMI); NULL at boot. */
void panic_set_stop_others(void (*stop)(void));

/* Called with the panic's text after the backtrace is printed, to end the report; NULL at boot. */
void panic_set_record(void (*record)(const char *text));

/* Our own invariants. Never for conditions that input or hardware can cause. */
#define ASSERT(cond)                                                                               \
    do {                                                                                           \
        if (!(cond))                                                                               \
            panic(0, "%s:%d: assertion failed: %s", __FILE__, __LINE__, #cond);                    \
    } while (0)

#endif

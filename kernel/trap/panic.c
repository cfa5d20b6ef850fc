/* SPDX-License-Identifier: MIT */
#include <stdarg.h>

#include "kernel/console/console.h"
#include "kernel/console/last_words.h"
#include "kernel/cpu/cpu_local.h"
#include "kernel/cpu/regs.h"
#include "kernel/leave.h"
#include "kernel/lib/atomic.h"
#include "kernel/lib/fmt.h"
#include "kernel/trap/backtrace.h"
#include "kernel/trap/trap.h"

static void (*stop_others)(void);
static void (*panic_record)(const char *text);

/*
 * The first core that panics (index + 1) prints; others stay silent. Written by compare_exchange.
 */
static uint32_t panicking_core;

void panic_set_stop_others(void (*stop)(void))
{
    stop_others = stop;
}

void panic_set_record(void (*record)(const char *text))
{
    panic_record = record;
}

static void print_registers(const struct trap_frame *f)
{
    typedef unsigned long long u64;

    con_printf("# rip %016llx rsp %016llx rflags %08llx cr2 %016llx\n", (u64)f->rip, (u64)f->rsp,
               (u64)f->rflags, (u64)read_cr2());
    con_printf("# rax %016llx rbx %016llx rcx %016llx rdx %016llx\n", (u64)f->rax, (u64)f->rbx,
               (u64)f->rcx, (u64)f->rdx);
    con_printf("# rsi %016llx rdi %016llx rbp %016llx r8  %016llx\n", (u64)f->rsi, (u64)f->rdi,
               (u64)f->rbp, (u64)f->r8);
    con_printf("# r9  %016llx r10 %016llx r11 %016llx r12 %016llx\n", (u64)f->r9, (u64)f->r10,
               (u64)f->r11, (u64)f->r12);
    con_printf("# r13 %016llx r14 %016llx r15 %016llx cr3 %016llx\n", (u64)f->r13, (u64)f->r14,
               (u64)f->r15, (u64)read_cr3());
}

/* A fault while printing comes here again: say so with as little as possible, and end. */
static void guard_against_recursion(struct cpu_local *cpu)
{
    uint32_t nobody = 0;

    if (compare_exchange(&panicking_core, &nobody, cpu->index + 1))
        return;
    if (nobody != cpu->index + 1) {
        for (;;)
            __asm__ volatile("cli; hlt");
    }
    if (cpu->panicking++ == 1)
        con_printf("# panic inside the panic\n");
    leave_ended(EXIT_PANIC);
}

void panic(const struct trap_frame *frame, const char *fmt, ...)
{
    char text[256];
    va_list args;
    uint64_t trace[BACKTRACE_MAX];
    struct cpu_local *cpu = cpu_local();

    irq_disable();
    guard_against_recursion(cpu);
    cpu->panicking = 1;
    if (stop_others)
        stop_others();

    va_start(args, fmt);
    fmt_vprint(text, sizeof text, fmt, args);
    va_end(args);

    last_words_begin("Crossmod: PANIC. The machine has been stopped.");
    con_printf("\n# PANIC core %u: %s\n", cpu->index, text);
    if (frame)
        print_registers(frame);
    const uint64_t *caller = __builtin_frame_address(0); /* saved RBP, return address */
    unsigned count = frame ? backtrace_collect(frame->rip, frame->rbp, trace)
                           : backtrace_collect(caller[1], caller[0], trace);
    backtrace_print(trace, count);
    if (panic_record)
        panic_record(text);
    /* After a machine check neither memory nor the firmware's code is to be trusted. */
    if (frame && frame->vector == TRAP_MC)
        exit_now(EXIT_PANIC);
    leave_ended(EXIT_PANIC);
}

/* SPDX-License-Identifier: MIT */
/* What the engine asks of its machine (poke/machine.h), and how the process ends. */
#include "poke/machine.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "hosted/hosted.h"
#include "kernel/console/console.h"
#include "kernel/cpu/regs.h"
#include "kernel/exit.h"
#include "kernel/lib/atomic.h"
#include "kernel/lib/fmt.h"
#include "kernel/trap/backtrace.h"
#include "kernel/trap/trap.h"
#include "smp/internal.h"
#include "smp/smp.h"

unsigned machine_cores(void)
{
    return smp_possible();
}

unsigned machine_this_core(void)
{
    return cpu_index();
}

bool machine_core_online(unsigned core)
{
    return smp_is_online(core);
}

struct poke_core *machine_poke_core(unsigned core)
{
    return &percpu(core)->poke;
}

struct poke_core *machine_this_poke_core(void)
{
    return &this_cpu()->poke;
}

uint64_t machine_now(void)
{
    uint32_t lo, hi;

    __asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi)::"memory"); /* as in smp/machine.c */
    return (uint64_t)hi << 32 | lo;
}

/*
 * All events of a batch are logged by the patcher (sync.c), and Linux uses the TSC as its clock
 * only where the processors' agree.
 */
uint64_t machine_clock_skew(void)
{
    return 0;
}

void machine_sync_cores(uint64_t round)
{
    smp_sync_cores(round);
}

void machine_sync_this_core(void)
{
    sync_core();
}

void machine_relax(void)
{
    cpu_relax();
}

void machine_phase(const char *phase)
{
    store_relaxed(&this_cpu()->phase, phase);
}

uint64_t rdmsr(uint32_t msr)
{
    return msr == MSR_MICROCODE ? limits_number("/proc/cpuinfo", "microcode : %x")
                                : privileged_rdmsr(msr);
}

/* ---- the end ---- */

int hosted_exit_status(enum exit_code code)
{
    if (!console_is_whole())
        code = EXIT_ERROR;
    switch (code) {
    case EXIT_PASS:
        return 0;
    case EXIT_FAIL:
        return 1;
    case EXIT_WEAK:
        return 4;
    case EXIT_PANIC:
        return 5;
    case EXIT_HANG:
        return 6;
    case EXIT_SKIP:
        return 77;
    case EXIT_ERROR:
        break;
    }
    return 3;
}

void exit_now(enum exit_code code)
{
    _exit(hosted_exit_status(code));
}

static void (*panic_record)(const char *text);

void panic_set_record(void (*record)(const char *text))
{
    panic_record = record;
}

void panic(const struct trap_frame *f, const char *fmt, ...)
{
    static uint32_t panicking;
    typedef unsigned long long u64;
    char text[256];
    va_list args;

    if (exchange(&panicking, 1))
        for (;;)
            pause(); /* the first one ends the process */
    va_start(args, fmt);
    fmt_vprint(text, sizeof text, fmt, args);
    va_end(args);
    con_printf("\n# PANIC core %u: %s\n", cpu_index(), text);
    if (f)
        con_printf("# rip %016llx rsp %016llx rflags %08llx rax %016llx rbx %016llx rcx %016llx "
                   "rdx %016llx\n",
                   (u64)f->rip, (u64)f->rsp, (u64)f->rflags, (u64)f->rax, (u64)f->rbx, (u64)f->rcx,
                   (u64)f->rdx);
    uint64_t trace[BACKTRACE_MAX];
    uint64_t rbp = f ? f->rbp : (uint64_t)__builtin_frame_address(0);
    uint64_t rip = f ? f->rip : (uint64_t)__builtin_return_address(0);
    backtrace_print(trace, backtrace_collect(rip, rbp, trace));
    if (panic_record)
        panic_record(text);
    exit_now(EXIT_PANIC);
}

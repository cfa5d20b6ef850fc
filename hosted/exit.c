/* SPDX-License-Identifier: MIT */
/* How the process ends by itself. */
#include "kernel/exit.h"

#include <stdarg.h>
#include <unistd.h>

#include "hosted/hosted.h"
#include "kernel/console/console.h"
#include "kernel/lib/atomic.h"
#include "kernel/lib/fmt.h"
#include "kernel/trap/backtrace.h"
#include "kernel/trap/trap.h"
#include "smp/percpu.h"

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

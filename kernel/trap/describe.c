/* SPDX-License-Identifier: MIT */
/* Exceptions in words (SDM vol 3A, "Exception and Interrupt Reference"). */
#include "kernel/cpu/regs.h"
#include "kernel/lib/fmt.h"
#include "kernel/trap/trap.h"

#define PF_PRESENT  (1u << 0)
#define PF_WRITE    (1u << 1)
#define PF_USER     (1u << 2)
#define PF_RESERVED (1u << 3)
#define PF_FETCH    (1u << 4)

#define SELECTOR_EXTERNAL (1u << 0)
#define SELECTOR_IDT      (1u << 1)
#define SELECTOR_LDT      (1u << 2)

const char *trap_name(unsigned vector)
{
    static const char *const names[32] = {
        "#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "#9",  "#TS",
        "#NP", "#SS", "#GP", "#PF", "#15", "#MF", "#AC", "#MC", "#XM", "#VE", "#CP",
        "#22", "#23", "#24", "#25", "#26", "#27", "#HV", "#VC", "#SX", "#31",
    };
    return vector < 32 ? names[vector] : "interrupt";
}

void trap_describe(const struct trap_frame *frame, char *out, unsigned size)
{
    const char *name = trap_name((unsigned)frame->vector);
    uint64_t error = frame->error;

    switch (frame->vector) {
    case TRAP_PF:
        fmt_print(out, size, "#PF[%s, %s, %s%s] at 0x%llx, address 0x%llx",
                  error & PF_PRESENT ? "protection" : "not present",
                  error & PF_FETCH   ? "fetch"
                  : error & PF_WRITE ? "write"
                                     : "read",
                  error & PF_USER ? "user" : "supervisor",
                  error & PF_RESERVED ? ", reserved bit" : "", (unsigned long long)frame->rip,
                  (unsigned long long)read_cr2());
        break;
    case TRAP_TS:
    case TRAP_NP:
    case TRAP_SS:
    case TRAP_GP:
        if (error) {
            fmt_print(out, size, "%s[%s entry 0x%llx%s] at 0x%llx", name,
                      error & SELECTOR_IDT   ? "IDT"
                      : error & SELECTOR_LDT ? "LDT"
                                             : "GDT",
                      (unsigned long long)(error >> 3),
                      error & SELECTOR_EXTERNAL ? ", external" : "",
                      (unsigned long long)frame->rip);
            break;
        }
        /* fall through */
    default:
        fmt_print(out, size, "%s[0x%llx] vector %llu at 0x%llx", name, (unsigned long long)error,
                  (unsigned long long)frame->vector, (unsigned long long)frame->rip);
    }
}

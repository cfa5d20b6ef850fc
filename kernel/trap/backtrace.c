/* SPDX-License-Identifier: MIT */
#include "kernel/trap/backtrace.h"

#include "kernel/console/console.h"
#include "kernel/lib/fmt.h"
#include "kernel/lib/symbols.h"
#include "kernel/mm/mm.h"

extern const char text_start[], text_end[];

unsigned backtrace_collect(uint64_t rip, uint64_t rbp, uint64_t out[static BACKTRACE_MAX])
{
    unsigned count = 0;
    uint64_t last = 0;

    out[count++] = rip;
    while (count < BACKTRACE_MAX) {
        /* A frame is the saved RBP and the return address; stacks grow down, so frames rise. */
        if (rbp % 8 != 0 || rbp <= last || !mm_is_stack(rbp, 16))
            break;
        const uint64_t *frame = (const uint64_t *)rbp;
        if (frame[1] == 0)
            break;
        out[count++] = frame[1];
        last = rbp;
        rbp = frame[0];
    }
    return count;
}

void backtrace_symbol(uint64_t address, char *out, size_t size)
{
    uint64_t offset;
    const char *name = NULL;

    if (address >= (uint64_t)text_start && address < (uint64_t)text_end)
        name = symbol_lookup(&kernel_symbols, address, &offset);
    if (name)
        fmt_print(out, size, "%s+0x%llx", name, (unsigned long long)offset);
    else
        fmt_print(out, size, "?");
}

void backtrace_print(const uint64_t *addresses, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char name[96];
        backtrace_symbol(addresses[i], name, sizeof name);
        con_printf("# BT 0x%016llx %s\n", (unsigned long long)addresses[i], name);
    }
}

/* SPDX-License-Identifier: MIT */
#include "kernel/leave.h"

#include <stddef.h>
#include <stdint.h>

#include "boot/boot_info.h"
#include "kernel/cpu/cpu_tables.h"
#include "kernel/cpu/regs.h"
#include "kernel/lib/atomic.h"
#include "kernel/mm/mm.h"

void kernel_leave(uint64_t code); /* entry.asm */

static void (*way_back)(enum exit_code code);

/* Claimed once, by whichever core ends the machine: a fault on the way back must not try again. */
static uint32_t tried;

void leave_for_now(struct cpu_tables *tables, struct cpu_local *local)
{
    uint64_t cr0 = read_cr0(), cr4 = read_cr4(), dr7 = read_dr7();
    uint64_t efer = rdmsr(MSR_EFER), pat = rdmsr(MSR_PAT);

    kernel_leave(BOOT_GOES_ON);

    /* On the bootstrap tables; the order is that of mm_init(). PCIDE with a CR3 whose PCID is 0. */
    wrmsr(MSR_EFER, efer);
    write_cr0(cr0);
    write_cr4(read_cr4() & ~(CR4_PGE | CR4_PCIDE));
    wrmsr(MSR_PAT, pat);
    write_cr3(mm_cr3());
    write_cr4(cr4 & ~CR4_PGE); /* then on: the change drops what was cached by other types */
    write_cr4(cr4);
    write_dr7(dr7);
    cpu_tables_load(tables, local);
}

void leave_for_good(enum exit_code code)
{
    if (mm_cr3())
        write_cr3(mm_cr3()); /* the poking root does not map the switch stub */
    kernel_leave(code);
    exit_now(code); /* the loader enters again only after BOOT_GOES_ON */
}

void leave_set_way_back(void (*fn)(enum exit_code code))
{
    way_back = fn;
}

void leave_ended(enum exit_code code)
{
    if (exit_is_qemu() || exchange(&tried, 1))
        exit_now(code);
    if (way_back)
        way_back(code);
    leave_for_good(code);
}

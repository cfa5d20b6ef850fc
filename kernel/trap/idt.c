/* SPDX-License-Identifier: MIT */
#include "kernel/trap/idt.h"

#include <stdint.h>

#include "kernel/cpu/cpu_tables.h"
#include "kernel/lib/atomic.h"
#include "kernel/trap/trap.h"
#include "kernel/trap/trap_faults.h"

/* SDM vol 3A, "64-Bit Mode IDT". Two quadwords: the first holds all that changes at run time. */
struct gate {
    uint64_t low, high;
};

#define GATE_INTERRUPT (0x8eull << 40) /* present, DPL 0, interrupts off on entry */
#define STUB_SIZE      16

extern const char trap_stubs[], trap_bp_entry[], trap_bp_entry_without_gap[], trap_nmi_entry[];

static struct gate idt[256] __attribute__((aligned(16)));

static struct gate gate_for(const char *entry, unsigned ist)
{
    uint64_t at = (uint64_t)(uintptr_t)entry;

    return (struct gate){
        .low = (at & 0xffff) | KERNEL_CS << 16 | (uint64_t)ist << 32 | GATE_INTERRUPT |
               (at >> 16 & 0xffff) << 48,
        .high = at >> 32,
    };
}

void idt_build(void)
{
    for (unsigned v = 0; v < 256; v++)
        idt[v] = gate_for(trap_stubs + v * STUB_SIZE, 0);
    idt[TRAP_NMI] = gate_for(trap_nmi_entry, IST_NMI);
    idt[TRAP_BP] = gate_for(trap_bp_entry, 0); /* never an IST: it nests (CVE-2018-8897) */
    idt[TRAP_DF].low |= (uint64_t)IST_DF << 32;
    idt[TRAP_MC].low |= (uint64_t)IST_MC << 32;
}

void idt_load(void)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) pointer = { sizeof idt - 1, (uint64_t)(uintptr_t)idt };

    __asm__ volatile("lidt %0" ::"m"(pointer));
}

void trap_use_faulty_bp_entry(bool on)
{
    struct gate g = gate_for(on ? trap_bp_entry_without_gap : trap_bp_entry, 0);

    /* Both entries are in the image's text: the high halves are equal, one store switches. */
    store_release(&idt[TRAP_BP].low, g.low);
}

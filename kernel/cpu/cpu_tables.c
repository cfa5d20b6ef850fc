/* SPDX-License-Identifier: MIT */
#include "kernel/cpu/cpu_tables.h"

#include <stddef.h>

#include "kernel/cpu/cpu_local.h"
#include "kernel/cpu/regs.h"
#include "kernel/mm/mm.h"
#include "kernel/trap/idt.h"

/* SDM vol 3A, "Segment Descriptors": type and L bit are all that 64-bit mode looks at. */
#define GDT_CODE 0x00af9b000000ffffull /* present, DPL 0, code, long, accessed */
#define GDT_DATA 0x00cf93000000ffffull /* present, DPL 0, data, writable, accessed */
#define GDT_TSS  0x0000890000000000ull /* present, available 64-bit TSS */

/* The NMI work stack takes nested #BP and NMI frames and whatever a test runs there. */
#define STACK_NMI_ENTRY PAGE_SIZE
#define STACK_NMI_WORK  (4 * PAGE_SIZE)
#define STACK_FATAL     (4 * PAGE_SIZE) /* #DF and #MC: a panic prints from here */

_Static_assert(offsetof(struct cpu_tables, tss) == 40, "GDT first");
_Static_assert(sizeof(((struct cpu_tables *)0)->tss) == 104, "SDM vol 3A, 64-Bit TSS");

static void fill_gdt(struct cpu_tables *t)
{
    uint64_t base = (uint64_t)(uintptr_t)&t->tss;

    t->gdt[0] = 0;
    t->gdt[KERNEL_CS / 8] = GDT_CODE;
    t->gdt[KERNEL_DS / 8] = GDT_DATA;
    t->gdt[KERNEL_TSS / 8] =
        GDT_TSS | (sizeof t->tss - 1) | (base & 0xffffff) << 16 | (base >> 24 & 0xff) << 56;
    t->gdt[KERNEL_TSS / 8 + 1] = base >> 32;
    t->tss.iomap = sizeof t->tss;
}

void cpu_tables_build_early(struct cpu_tables *t, struct cpu_local *local)
{
    /* One stack for all: whatever comes this early ends in a panic. */
    static uint8_t early_stack[2 * PAGE_SIZE] __attribute__((aligned(16)));
    uint64_t top = (uint64_t)(uintptr_t)early_stack + sizeof early_stack;

    fill_gdt(t);
    for (unsigned i = 0; i < 7; i++)
        t->tss.ist[i] = top;
    local->nmi_stack_bottom = (uint64_t)(uintptr_t)early_stack;
    local->nmi_stack_top = top - PAGE_SIZE;
    idt_build();
}

bool cpu_tables_build(struct cpu_tables *t, struct cpu_local *local)
{
    uint64_t nmi_entry = mm_stack_alloc(STACK_NMI_ENTRY);
    uint64_t nmi_work = mm_stack_alloc(STACK_NMI_WORK);
    uint64_t df = mm_stack_alloc(STACK_FATAL);
    uint64_t mc = mm_stack_alloc(STACK_FATAL);

    if (!nmi_entry || !nmi_work || !df || !mc)
        return false;
    fill_gdt(t);
    t->tss.ist[IST_NMI - 1] = nmi_entry;
    t->tss.ist[IST_DF - 1] = df;
    t->tss.ist[IST_MC - 1] = mc;
    local->nmi_stack_bottom = nmi_work - STACK_NMI_WORK;
    local->nmi_stack_top = nmi_work;
    return true;
}

void cpu_tables_load(struct cpu_tables *t, struct cpu_local *local)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) pointer = { sizeof t->gdt - 1, (uint64_t)(uintptr_t)t->gdt };

    /* LTR wants an available TSS: a second load of the same tables finds it busy. */
    t->gdt[KERNEL_TSS / 8] &= ~(2ull << 40);
    __asm__ volatile("lgdt %0\n\t"
                     "mov %1, %%ss\n\t"
                     "mov %1, %%ds\n\t"
                     "mov %1, %%es\n\t"
                     "mov %2, %%fs\n\t"
                     "mov %2, %%gs\n\t"
                     "push %3\n\t"
                     "lea 1f(%%rip), %%rax\n\t"
                     "push %%rax\n\t"
                     "lretq\n"
                     "1:\n\t"
                     "lldt %w2\n\t"
                     "ltr %w4" ::"m"(pointer),
                     "r"(KERNEL_DS), "r"(0), "i"(KERNEL_CS), "r"(KERNEL_TSS)
                     : "rax", "memory");
    cpu_local_set(local);
    idt_load();
}

void cpu_local_set(struct cpu_local *local)
{
    local->self = local;
    wrmsr(MSR_GS_BASE, (uint64_t)(uintptr_t)local);
    wrmsr(MSR_KERNEL_GS_BASE, (uint64_t)(uintptr_t)local);
}

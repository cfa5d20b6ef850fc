/* SPDX-License-Identifier: MIT */
/*
 * Install and remove the real-mode code that starts the other cores.
 *
 * W^X: the code page is written through the direct map before it is executable anywhere, then
 * becomes read-only there and executable at its identity address; when the cores are up, the other
 * way round. The mailbox page is data: writable and not executable in both places.
 */
#include "smp/internal.h"
#include "smp/smp.h"

#include "kernel/cpu/cpu_tables.h"
#include "kernel/cpu/regs.h"
#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "smp/mailbox.h"

#define INT3             0xcc
#define GDT_CODE_64      0x00af9b000000ffffull
#define LONG_MODE_OFFSET 2 /* where the blob says at which offset its 64-bit part begins */
#define CR0_START        0x80010033u /* PG, WP, NE, ET, MP, PE; CD and NW clear */
#define CR4_PAE          (1u << 5)
#define EFER_START       ((1u << 8) | (1u << 11)) /* LME, NXE */

extern const uint8_t trampoline_start[], trampoline_end[];

static void fill_mailbox(struct mailbox *box, uint64_t low_phys,
                         const struct ap_registers *registers, const uint64_t *stacks,
                         unsigned count)
{
    uint16_t long_mode;

    memcpy(&long_mode, trampoline_start + LONG_MODE_OFFSET, sizeof long_mode);
    *box = (struct mailbox){
        .gdt = { 0, GDT_CODE_64 },
        .gdtr = { sizeof box->gdt - 1, (uint32_t)(low_phys + PAGE_SIZE) },
        .long_mode = { (uint32_t)low_phys + long_mode, KERNEL_CS },
        /* LA57 cannot change in 64-bit mode; the rest is ap_main()'s. */
        .cr4 = CR4_PAE | (uint32_t)(registers->cr4 & CR4_LA57),
        .cr3 = (uint32_t)registers->cr3,
        .efer = EFER_START,
        .cr0 = CR0_START,
        .count = count,
        .stacks = (uint64_t)(uintptr_t)stacks,
        .entry = (uint64_t)(uintptr_t)ap_main,
    };
}

bool trampoline_install(uint64_t low_phys, const struct ap_registers *registers,
                        const uint64_t *stacks, unsigned count)
{
    uint8_t *code = phys_to_virt(low_phys);
    size_t bytes = (size_t)(trampoline_end - trampoline_start);

    ASSERT(bytes <= PAGE_SIZE);
    memset(code, INT3, PAGE_SIZE);
    memcpy(code, trampoline_start, bytes);
    fill_mailbox(phys_to_virt(low_phys + PAGE_SIZE), low_phys, registers, stacks, count);

    if (!mm_protect((uint64_t)(uintptr_t)code, 1, MM_R))
        return false;
    if (!mm_map(low_phys, low_phys, 1, MM_X))
        goto unprotect;
    if (!mm_map(low_phys + PAGE_SIZE, low_phys + PAGE_SIZE, 1, MM_W))
        goto unmap;
    return true;

unmap:
    mm_unmap(low_phys, 1);
unprotect:
    mm_protect((uint64_t)(uintptr_t)code, 1, MM_W);
    return false;
}

void trampoline_remove(uint64_t low_phys)
{
    mm_unmap(low_phys, 2);
    smp_tlb_flush(); /* before the page is writable again */
    mm_protect((uint64_t)(uintptr_t)phys_to_virt(low_phys), 1, MM_W);
}

/* SPDX-License-Identifier: MIT */
/*
 * A started core's way from the trampoline to its idle loop.
 *
 * `registers` is written by the boot core before the first start-up IPI and read by the others.
 */
#include "smp/internal.h"
#include "smp/smp.h"

#include "kernel/cpu/protection.h"
#include "kernel/cpu/regs.h"
#include "kernel/lib/atomic.h"
#include "kernel/mm/mm.h"
#include "smp/apic.h"
#include "smp/watchdog.h"

#define CR4_VMXE    (1ull << 13)
#define CR4_SMXE    (1ull << 14)
#define CR4_OSXSAVE (1ull << 18)
#define LEAF_XSAVE  0xd      /* EAX: the low half of what XCR0 may be */
#define EFER_KEPT   0xd01ull /* SCE, LME, LMA, NXE; the others belong to virtualisation */

static struct ap_registers registers;

static uint64_t read_xcr0(void)
{
    uint32_t lo, hi;

    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return (uint64_t)hi << 32 | lo;
}

static void write_xcr0(uint64_t value)
{
    __asm__ volatile("xsetbv" ::"a"((uint32_t)value), "d"((uint32_t)(value >> 32)), "c"(0));
}

const struct ap_registers *ap_registers_capture(void)
{
    registers.cr0 = read_cr0();
    registers.cr3 = mm_cr3();
    /* VMXE and SMXE fault where the firmware has not unlocked them on every core. */
    registers.cr4 = read_cr4() & ~(CR4_VMXE | CR4_SMXE);
    registers.efer = rdmsr(MSR_EFER) & EFER_KEPT;
    registers.pat = rdmsr(MSR_PAT);
    registers.xcr0 = registers.cr4 & CR4_OSXSAVE ? read_xcr0() : 0;
    return &registers;
}

/*
 * Cores of a hybrid part need not all have what the boot core was seen to have, and is in use. One
 * that has not stays out, and is reported as one that did not come up.
 */
static bool has_what_is_used(void)
{
    bool pcid = cpuid(1, 0).ecx >> 17 & 1;

    return (pcid || !(registers.cr4 & CR4_PCIDE)) && sync_works_here();
}

static void take_over_registers(void)
{
    wrmsr(MSR_PAT, registers.pat);
    wrmsr(MSR_EFER, registers.efer);
    write_cr0(registers.cr0);
    uint64_t cr4 = cpu_protected(registers.cr4);
    write_cr4(cr4 & ~CR4_PGE); /* then on: the change drops what the old PAT cached */
    write_cr4(cr4);
    if (registers.cr4 & CR4_OSXSAVE)
        write_xcr0(registers.xcr0 & cpuid_basic(LEAF_XSAVE, 0).eax);
}

void ap_main(void)
{
    if (!has_what_is_used())
        halt_for_ever();
    take_over_registers();
    if (!apic_adopt_mode())
        halt_for_ever();

    struct percpu *self = percpu_find(apic_id());
    if (!self)
        halt_for_ever(); /* nobody asked for this core */
    cpu_tables_load(&self->tables, &self->local);
    apic_enable();
    identify_core(self);

    /*
     * Full barrier; pairs with the acquire in smp_is_online(). The boot core may have given up by
     * the same compare-exchange, and then this core must not appear.
     */
    uint32_t starting = CPU_STARTING;
    if (!compare_exchange(&self->state, &starting, CPU_IDLE))
        halt_for_ever();
    sync_core(); /* online, then serialise: see machine_core_online() */
    watchdog_start_core();
    work_loop();
}

/* SPDX-License-Identifier: MIT */
#include "smp/apic.h"

#include "kernel/cpu/regs.h"
#include "kernel/lib/atomic.h"
#include "kernel/mm/mm.h"
#include "kernel/trap/trap.h"
#include "smp/apic_regs.h"

#define BASE_ENABLE  (1ull << 11)
#define BASE_X2APIC  (1ull << 10)
#define BASE_MODE    (BASE_ENABLE | BASE_X2APIC)
#define BASE_ADDRESS 0x000ffffffffff000ull

#define MSR_TSC_DEADLINE 0x6e0

#define CPUID7_EDX_ARCH_CAPABILITIES (1u << 29)
#define MSR_ARCH_CAPABILITIES        0x10a
#define XAPIC_DISABLE_STATUS         (1ull << 21) /* the next MSR exists */
#define MSR_XAPIC_DISABLE_STATUS     0xbd
#define XAPIC_DISABLED               (1ull << 0)

/* Class 0xE and below wait, class 0xF comes: ours are vectors 0xF0 to 0xFF. */
#define TPR_OURS_ONLY 0xe0
#define OUR_REQUESTS  0xffff0000u /* bits of APIC_IRR_LAST */

/* Both written by the boot core in apic_detect(), before any other core runs. */
static bool x2apic;
static volatile uint8_t *registers; /* xAPIC */

static struct {
    uint64_t base, deadline;
    uint32_t svr, tpr, lvt_timer, lvt_lint0, lvt_lint1, lvt_error, divide, initial;
} saved; /* of the boot core, by the boot core */

uint32_t apic_read(unsigned reg)
{
    if (x2apic)
        return (uint32_t)rdmsr(MSR_X2APIC(reg));
    return *(volatile uint32_t *)(registers + reg);
}

void apic_write(unsigned reg, uint32_t value)
{
    if (x2apic)
        wrmsr(MSR_X2APIC(reg), value);
    else
        *(volatile uint32_t *)(registers + reg) = value;
}

void apic_detect(void)
{
    uint64_t base = rdmsr(MSR_APIC_BASE);

    saved.base = base;
    if (!(base & BASE_ENABLE))
        wrmsr(MSR_APIC_BASE, base | BASE_ENABLE);
    x2apic = (base & BASE_MODE) == BASE_MODE;
    if (x2apic)
        return;
    registers = mm_map_device(base & BASE_ADDRESS, PAGE_SIZE);
    if (!registers)
        panic(NULL, "no memory to map the local APIC at 0x%llx",
              (unsigned long long)(base & BASE_ADDRESS));
}

bool apic_is_x2apic(void)
{
    return x2apic;
}

/*
 * May this core's APIC not leave x2APIC mode? Then trying would fault (SDM vol 4,
 * IA32_XAPIC_DISABLE_STATUS).
 */
static bool is_locked(void)
{
    return (cpuid_basic(7, 0).edx & CPUID7_EDX_ARCH_CAPABILITIES) &&
           (rdmsr(MSR_ARCH_CAPABILITIES) & XAPIC_DISABLE_STATUS) &&
           (rdmsr(MSR_XAPIC_DISABLE_STATUS) & XAPIC_DISABLED);
}

bool apic_adopt_mode(void)
{
    uint64_t base = rdmsr(MSR_APIC_BASE);
    uint64_t mode = x2apic ? BASE_MODE : BASE_ENABLE;
    uint64_t wanted = (base & ~(BASE_ADDRESS | BASE_MODE)) | (saved.base & BASE_ADDRESS);

    if ((base & (BASE_ADDRESS | BASE_MODE)) == ((saved.base & BASE_ADDRESS) | mode))
        return true;
    /* Legal steps only: down through disabled, up through xAPIC ("x2APIC State Transitions"). */
    if ((base & BASE_MODE) == BASE_MODE) {
        if (is_locked())
            return false;
        wrmsr(MSR_APIC_BASE, wanted);
    }
    wrmsr(MSR_APIC_BASE, wanted | BASE_ENABLE);
    if (x2apic)
        wrmsr(MSR_APIC_BASE, wanted | BASE_MODE);
    return true;
}

void apic_enable(void)
{
    /*
     * The spurious vector comes first: raising the task priority over a request that is being
     * delivered makes it spurious, and the firmware's vector may be one of the exceptions.
     */
    apic_write(APIC_SVR, (apic_read(APIC_SVR) & ~0xffu) | APIC_SVR_ENABLE | VECTOR_SPURIOUS);
    apic_write(APIC_TPR, TPR_OURS_ONLY);
    /* ExtINT of the 8259 comes over LINT0 and asks no task priority. */
    apic_write(APIC_LVT_LINT0, apic_read(APIC_LVT_LINT0) | APIC_LVT_MASKED);
    apic_write(APIC_LVT_ERROR, apic_read(APIC_LVT_ERROR) | APIC_LVT_MASKED);
    apic_timer_start(0, VECTOR_TIMER);
}

void apic_save(void)
{
    saved.svr = apic_read(APIC_SVR);
    saved.tpr = apic_read(APIC_TPR);
    saved.lvt_timer = apic_read(APIC_LVT_TIMER);
    saved.lvt_lint0 = apic_read(APIC_LVT_LINT0);
    saved.lvt_lint1 = apic_read(APIC_LVT_LINT1);
    saved.lvt_error = apic_read(APIC_LVT_ERROR);
    saved.divide = apic_read(APIC_TIMER_DIVIDE);
    saved.initial = apic_read(APIC_TIMER_INITIAL);
    if (saved.lvt_timer & APIC_TIMER_DEADLINE)
        saved.deadline = rdmsr(MSR_TSC_DEADLINE);
}

/* Take what is still pending of ours: the firmware has no handlers for these vectors. */
static void drain(void)
{
    for (unsigned tries = 0; tries < 1000 && (apic_read(APIC_IRR_LAST) & OUR_REQUESTS); tries++) {
        /* One instruction behind STI is still free of them. No PAUSE: TCG makes it two. */
        __asm__ volatile("sti; nop; cli" ::: "memory");
    }
}

void apic_restore(void)
{
    apic_timer_start(0, VECTOR_TIMER);
    drain();
    apic_write(APIC_LVT_TIMER, saved.lvt_timer);
    apic_write(APIC_LVT_LINT0, saved.lvt_lint0);
    apic_write(APIC_LVT_LINT1, saved.lvt_lint1);
    apic_write(APIC_LVT_ERROR, saved.lvt_error);
    apic_write(APIC_SVR, saved.svr);
    apic_write(APIC_TPR, saved.tpr);
    /* Writing the count or the deadline starts the timer again, so these are the last. */
    apic_write(APIC_TIMER_DIVIDE, saved.divide);
    apic_write(APIC_TIMER_INITIAL, saved.initial);
    if (saved.lvt_timer & APIC_TIMER_DEADLINE) {
        full_barrier(); /* xAPIC: the LVT's store must arrive before the MSR ("TSC-Deadline Mode")
                         */
        wrmsr(MSR_TSC_DEADLINE, saved.deadline);
    }
    if (!(saved.base & BASE_ENABLE))
        wrmsr(MSR_APIC_BASE, saved.base);
}

void apic_end_all(void)
{
    /* One handler nests in another only by an NMI between them: few are in service. */
    for (unsigned tries = 0; tries < 16 && (apic_read(APIC_ISR_LAST) & OUR_REQUESTS); tries++)
        apic_eoi();
}

uint32_t apic_id(void)
{
    uint32_t id = apic_read(APIC_ID);

    return x2apic ? id : id >> 24;
}

void apic_eoi(void)
{
    apic_write(APIC_EOI, 0);
}
